package org.rectiflow.trainer.transformer;

import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

/** The paper's MM-DiT, with two sets of weights. */
public final class MmditBackbone implements Backbone {
  @Override
  public String name() {
    return "mmdit";
  }

  @Override
  public VelocityModel model(MmditConfig config, int clipTokens, WeightSource weights) {
    return new Mmdit(config, weights);
  }
}
