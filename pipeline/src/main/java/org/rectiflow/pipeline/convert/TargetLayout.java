package org.rectiflow.pipeline.convert;

import org.rectiflow.pipeline.checkpoint.StoredPart.Layout;

/** How a model is written. */
public enum TargetLayout {
  /** A folder with one folder for each part, and configurations. */
  DIFFUSERS(Layout.DIFFUSERS),
  /** One file in the original layout, with all parts. */
  SINGLE(Layout.ORIGINAL),
  /** A folder with one file for transformer and autoencoder, and one for each encoder. */
  SEPARATE(Layout.ORIGINAL);

  private final Layout names;

  TargetLayout(Layout names) {
    this.names = names;
  }

  /** Whose names the tensors get. */
  Layout names() {
    return names;
  }
}
