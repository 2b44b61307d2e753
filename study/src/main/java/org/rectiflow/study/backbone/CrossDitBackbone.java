package org.rectiflow.study.backbone;

import org.rectiflow.backbones.Backbone;

/** {@link Backbone#CROSS_DIT} for run files. */
public final class CrossDitBackbone extends TrainedBackbone {
  /** For the service loader. */
  public CrossDitBackbone() {
    super(Backbone.CROSS_DIT);
  }
}
