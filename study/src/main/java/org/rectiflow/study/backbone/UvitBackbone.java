package org.rectiflow.study.backbone;

import org.rectiflow.backbones.Backbone;

/** {@link Backbone#UVIT} for run files. */
public final class UvitBackbone extends TrainedBackbone {
  /** For the service loader. */
  public UvitBackbone() {
    super(Backbone.UVIT);
  }
}
