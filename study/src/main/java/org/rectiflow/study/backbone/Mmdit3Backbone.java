package org.rectiflow.study.backbone;

import org.rectiflow.backbones.Backbone;

/** {@link Backbone#MMDIT_3} for run files. */
public final class Mmdit3Backbone extends TrainedBackbone {
  /** For the service loader. */
  public Mmdit3Backbone() {
    super(Backbone.MMDIT_3);
  }
}
