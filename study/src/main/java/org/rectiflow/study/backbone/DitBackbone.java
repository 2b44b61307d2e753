package org.rectiflow.study.backbone;

import org.rectiflow.backbones.Backbone;

/** {@link Backbone#DIT} for run files. */
public final class DitBackbone extends TrainedBackbone {
  /** For the service loader. */
  public DitBackbone() {
    super(Backbone.DIT);
  }
}
