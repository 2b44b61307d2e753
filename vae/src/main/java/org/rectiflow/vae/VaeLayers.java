package org.rectiflow.vae;

import java.util.List;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;

/** The layers that encoder and decoder are made of. Feature maps are [B, C, H, W]. */
final class VaeLayers {
  private static final float EPS = 1e-6f;

  private final Params params;
  private final int groups;

  VaeLayers(Params params, int groups) {
    this.params = params;
    this.groups = groups;
  }

  /** The layers whose tensors' names begin with {@code name} and a dot. */
  VaeLayers in(String name) {
    return new VaeLayers(params.in(name), groups);
  }

  Graph graph() {
    return params.graph();
  }

  Scope scope(String name) {
    return graph().scope(name);
  }

  /** A 3x3 convolution that keeps the size. */
  Value conv3x3(String name, Value x, int out) {
    return conv(name, x, out, 3, 1, Padding.all(1));
  }

  private Value conv(String name, Value x, int out, int size, int stride, Padding padding) {
    Value weight = params.get(name + ".weight", out, x.shape().dim(1), size, size);
    return graph().conv2d(x, weight, params.get(name + ".bias", out), stride, padding);
  }

  Value normSilu(String name, Value x) {
    return graph().silu(norm(name, x));
  }

  private Value norm(String name, Value x) {
    int c = x.shape().dim(1);
    return graph()
        .groupNorm(x, params.get(name + ".weight", c), params.get(name + ".bias", c), groups, EPS);
  }

  /** Two normed 3x3 convolutions and a residual; a 1x1 convolution where the width changes. */
  Value resnet(String name, Value x, int out) {
    try (Scope _ = scope(name)) {
      VaeLayers block = in(name);
      Value h = block.conv3x3("conv1", block.normSilu("norm1", x), out);
      h = block.conv3x3("conv2", block.normSilu("norm2", h), out);
      Value residual =
          x.shape().dim(1) == out ? x : block.conv("conv_shortcut", x, out, 1, 1, Padding.all(0));
      return graph().add(residual, h);
    }
  }

  /** Halves the size: zeros on the right and below, then a strided convolution. */
  Value downsample(String name, Value x) {
    return conv(name, x, x.shape().dim(1), 3, 2, new Padding(0, 1, 0, 1));
  }

  /** Doubles the size: nearest neighbour, then a convolution. */
  Value upsample(String name, Value x) {
    return conv3x3(name, graph().upsampleNearest2x(x), x.shape().dim(1));
  }

  /** Residual block, single-head attention over all pixels, residual block. */
  Value middle(Value x) {
    int width = x.shape().dim(1);
    try (Scope _ = scope("mid_block")) {
      VaeLayers mid = in("mid_block");
      Value h = mid.resnet("resnets.0", x, width);
      h = mid.attention("attentions.0", h);
      return mid.resnet("resnets.1", h, width);
    }
  }

  private Value attention(String name, Value x) {
    Graph g = graph();
    int b = x.shape().dim(0);
    int c = x.shape().dim(1);
    int height = x.shape().dim(2);
    int width = x.shape().dim(3);
    try (Scope _ = scope(name)) {
      VaeLayers block = in(name);
      Value normed = block.norm("group_norm", x);
      Value tokens = g.reshape(g.permute(normed, 0, 2, 3, 1), b, height * width, c);
      Qkv qkv =
          new Qkv(
              block.params.linear("to_q", tokens, c),
              block.params.linear("to_k", tokens, c),
              block.params.linear("to_v", tokens, c));
      Value attended = g.jointAttention(1, List.of(qkv)).getFirst();
      Value out = g.reshape(block.params.linear("to_out.0", attended, c), b, height, width, c);
      return g.add(x, g.permute(out, 0, 3, 1, 2));
    }
  }
}
