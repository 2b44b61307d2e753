package org.rectiflow.study.backbone;

import org.rectiflow.backbones.BackboneConfig;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.trainer.transformer.Backbone;

/** What all of them have in common. */
abstract class TrainedBackbone implements Backbone {
  private final org.rectiflow.backbones.Backbone kind;

  TrainedBackbone(org.rectiflow.backbones.Backbone kind) {
    this.kind = kind;
  }

  @Override
  public String name() {
    return kind.key();
  }

  @Override
  public VelocityModel model(MmditConfig config, int clipTokens, WeightSource weights) {
    return new BackboneConfig(kind, config, clipTokens).model(weights);
  }

  @Override
  public boolean beginsAtZero(String name) {
    return BackboneConfig.beginsAtZero(name);
  }
}
