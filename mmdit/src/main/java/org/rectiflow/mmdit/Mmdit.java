package org.rectiflow.mmdit;

import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * The multimodal diffusion transformer of the paper's Figure 2(a): the velocity v_Theta(z_t, t)
 * given a prompt.
 *
 * <p>The tensors have diffusers' names ({@code SD3Transformer2DModel}); checkpoints in the original
 * layout are adapted before they come here.
 */
public final class Mmdit implements VelocityModel {
  private final MmditConfig config;
  private final WeightSource weights;

  public Mmdit(MmditConfig config, WeightSource weights) {
    this.config = config;
    this.weights = weights;
  }

  @Override
  public MmditConfig config() {
    return config;
  }

  /** As promised; the last block changes no text tokens. */
  @Override
  public Graph graph(int batch, int height, int width, int contextTokens, boolean taps) {
    Frame frame = new Frame(config, weights, batch, height, width, contextTokens);
    Graph g = frame.graph();
    Params params = frame.params();
    Value y = frame.conditioning();
    Value x = frame.imageTokens();
    Value c = frame.textTokens();

    MmditBlock.Streams streams = new MmditBlock.Streams(c, x);
    for (int i = 0; i < config.depth(); i++) {
      boolean last = i == config.depth() - 1;
      boolean dual = config.dualAttentionBlocks().contains(i);
      try (Scope _ = g.scope("block" + i)) {
        MmditBlock block = new MmditBlock(config, params.in("transformer_blocks." + i), last, dual);
        streams = block.forward(streams, y);
      }
      if (taps) {
        g.output("block" + i + ".image", streams.image());
        if (!last) {
          g.output("block" + i + ".text", streams.text());
        }
      }
    }
    frame.finish(streams.image(), y);
    return g;
  }
}
