package org.rectiflow.backbones;

import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Frame;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

/** CrossDiT (paper, Section 5.2.3): the image tokens look at the text by cross-attention. */
final class CrossDit implements VelocityModel {
  private final MmditConfig config;
  private final WeightSource weights;

  CrossDit(MmditConfig config, WeightSource weights) {
    this.config = config;
    this.weights = weights;
  }

  @Override
  public MmditConfig config() {
    return config;
  }

  @Override
  public Graph graph(int batch, int height, int width, int contextTokens, boolean taps) {
    Frame frame = new Frame(config, weights, batch, height, width, contextTokens);
    Value y = frame.conditioning();
    Value x = frame.imageTokens();
    Value c = frame.textTokens();
    frame.finish(blocks(config, frame, x, c, y, taps), y);
    return frame.graph();
  }

  /** The blocks of the model one after another. */
  static Value blocks(
      MmditConfig config, Frame frame, Value tokens, Value c, Value y, boolean taps) {
    Graph g = frame.graph();
    Value x = tokens;
    for (int i = 0; i < config.depth(); i++) {
      try (Scope _ = g.scope("block" + i)) {
        var params = frame.params().in("transformer_blocks." + i);
        x = new CrossDitBlock(config, params).forward(x, c, y);
      }
      if (taps) {
        g.output("block" + i + ".image", x);
      }
    }
    return x;
  }
}
