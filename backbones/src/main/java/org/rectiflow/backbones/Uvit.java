package org.rectiflow.backbones;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Frame;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

/**
 * The U-ViT of Hoogeboom, Heek and Salimans ("simple diffusion", 2023): residual convolutions at
 * the latent's resolution, transformer blocks at a coarser one, and a long skip from each residual
 * block on the way up to one on the way down. Neither paper says how text enters or how many
 * channels a level has; here the blocks are CrossDiT's, the timestep and the pooled text modulate
 * every residual block, and a level has half the channels of the next.
 */
final class Uvit implements VelocityModel {
  private final MmditConfig config;
  private final UvitLevels levels;
  private final WeightSource weights;

  Uvit(MmditConfig config, WeightSource weights) {
    this.config = config;
    this.levels = UvitLevels.of(config);
    this.weights = weights;
  }

  @Override
  public MmditConfig config() {
    return config;
  }

  @Override
  public Graph graph(int batch, int height, int width, int contextTokens, boolean taps) {
    Frame frame = new Frame(config, weights, batch, height, width, contextTokens);
    Graph g = frame.graph();
    Params params = frame.params();
    Value y = frame.conditioning();
    Value c = frame.textTokens();
    Deque<Value> skips = new ArrayDeque<>();
    Value x = down(params, frame.latent(), y, skips);

    int rows = height / config.patchSize();
    int columns = width / config.patchSize();
    Value flat = g.reshape(g.permute(x, 0, 2, 3, 1), batch, rows * columns, config.width());
    Value tokens = g.add(flat, frame.positions());
    tokens = CrossDit.blocks(config, frame, tokens, c, y, taps);
    x = g.permute(g.reshape(tokens, batch, rows, columns, config.width()), 0, 3, 1, 2);

    x = up(params, x, y, skips);
    try (Scope _ = g.scope("final")) {
      Value normed = g.silu(norm(params.in("conv_norm_out"), x));
      frame.finish(conv(params.in("conv_out"), normed, config.latentChannels(), 1));
    }
    return g;
  }

  private Value down(Params params, Value latent, Value y, Deque<Value> skips) {
    Value x = conv(params.in("conv_in"), latent, levels.channels(0), 1);
    for (int level = 0; level < levels.count(); level++) {
      Params p = params.in("down_blocks." + level);
      try (Scope _ = params.graph().scope("down" + level)) {
        for (int i = 0; i < UvitLevels.RESNETS; i++) {
          x = resnet(p.in("resnets." + i), x, y, levels.channels(level));
          skips.push(x);
        }
        x = conv(p.in("downsamplers.0.conv"), x, levels.channels(level + 1), 2);
      }
    }
    return x;
  }

  private Value up(Params params, Value top, Value y, Deque<Value> skips) {
    Graph g = params.graph();
    Value x = top;
    for (int level = levels.count() - 1; level >= 0; level--) {
      Params p = params.in("up_blocks." + level);
      int channels = levels.channels(level);
      try (Scope _ = g.scope("up" + level)) {
        x = conv(p.in("upsamplers.0.conv"), g.upsampleNearest2x(x), channels, 1);
        for (int i = 0; i < UvitLevels.RESNETS; i++) {
          Value joined = g.concat(1, List.of(x, skips.pop()));
          x = resnet(p.in("resnets." + i), joined, y, channels);
        }
      }
    }
    return x;
  }

  /**
   * Norm, SiLU, convolution; norm modulated by y, SiLU, convolution; plus the input.
   *
   * @param x [B, C, H, W]
   * @return [B, channels, H, W]
   */
  private static Value resnet(Params p, Value x, Value y, int channels) {
    Graph g = p.graph();
    Value h = conv(p.in("conv1"), g.silu(norm(p.in("norm1"), x)), channels, 1);
    List<Value> modulation = g.chunk(p.linear("time_emb_proj", y, 2 * channels), 1, 2);
    Value normed = norm(p.in("norm2"), h);
    int b = x.shape().dim(0);
    int rows = x.shape().dim(2);
    int columns = x.shape().dim(3);
    Value tokens = g.reshape(g.permute(normed, 0, 2, 3, 1), b, rows * columns, channels);
    Value modulated = g.modulate(tokens, modulation.get(0), modulation.get(1));
    Value image = g.permute(g.reshape(modulated, b, rows, columns, channels), 0, 3, 1, 2);
    h = conv(p.in("conv2"), g.silu(image), channels, 1);
    if (x.shape().dim(1) == channels) {
      return g.add(x, h);
    }
    Params shortcut = p.in("conv_shortcut");
    Value weight = shortcut.get("weight", channels, x.shape().dim(1), 1, 1);
    return g.add(g.conv2d(x, weight, shortcut.get("bias", channels), 1, Padding.all(0)), h);
  }

  private static Value norm(Params p, Value x) {
    int channels = x.shape().dim(1);
    return p.graph()
        .groupNorm(
            x,
            p.get("weight", channels),
            p.get("bias", channels),
            channels / UvitLevels.GROUP,
            Frame.EPS);
  }

  /** 3 by 3, keeping the size, or halving it with a stride of 2. */
  private static Value conv(Params p, Value x, int channels, int stride) {
    Value weight = p.get("weight", channels, x.shape().dim(1), 3, 3);
    Padding padding = stride == 1 ? Padding.all(1) : new Padding(0, 1, 0, 1);
    return p.graph().conv2d(x, weight, p.get("bias", channels), stride, padding);
  }
}
