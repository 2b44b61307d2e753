package org.rectiflow.mmdit;

import static org.rectiflow.mmdit.Frame.EPS;
import static org.rectiflow.mmdit.MmditConfig.HEAD_SIZE;

import java.util.List;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;

/**
 * The parts that the blocks of every backbone are made of, as in the paper's Figure 2(b).
 *
 * @param config the sizes
 * @param params the block's parameters
 */
public record BlockParts(MmditConfig config, Params params) {

  /** One residual branch's modulation: beta, alpha and gamma of Figure 2(b), [B, width] each. */
  public record Modulation(Value shift, Value scale, Value gate) {
    /** Three of {@link #chunks}, in the order of the files. */
    public static Modulation of(List<Value> chunks, int from) {
      return new Modulation(chunks.get(from), chunks.get(from + 1), chunks.get(from + 2));
    }
  }

  /** Names of the layers that make queries and keys and values, and of the norms of the former. */
  public record QkvNames(String q, String k, String v, String normQ, String normK) {}

  /** Linear(SiLU(y)), cut into {@code n} vectors [B, width]; {@code y} is after SiLU. */
  public List<Value> chunks(String name, Value y, int n) {
    Value all = params.linear(name, y, n * config.width());
    return params.graph().chunk(all, 1, n);
  }

  /** LN(x) (1 + scale) + shift. */
  public Value modulated(Value x, Value shift, Value scale) {
    Graph g = params.graph();
    return g.modulate(g.layerNorm(x, EPS), shift, scale);
  }

  /**
   * Queries, keys and values of tokens.
   *
   * @param attention the attention's parameters
   */
  public Qkv qkv(Params attention, Value x, QkvNames names) {
    int width = config.width();
    return new Qkv(
        norm(attention, names.normQ(), attention.linear(names.q(), x, width)),
        norm(attention, names.normK(), attention.linear(names.k(), x, width)),
        attention.linear(names.v(), x, width));
  }

  /** RMS norm with a learnt scale over each head's channels, where the model has it. */
  public Value norm(Params p, String name, Value x) {
    if (!config.qkNorm()) {
      return x;
    }
    Graph g = p.graph();
    int b = x.shape().dim(0);
    int t = x.shape().dim(1);
    Value heads = g.reshape(x, b, t, config.heads(), HEAD_SIZE);
    Value normed = g.rmsNorm(heads, p.get(name + ".weight", HEAD_SIZE), EPS);
    return g.reshape(normed, b, t, config.width());
  }

  /** x + zeta * MLP(delta-epsilon-modulated LN(x)), four times as wide inside, tanh GELU. */
  public Value mlp(String name, Value x, Modulation m) {
    Graph g = params.graph();
    try (Scope _ = g.scope(name)) {
      Value modulated = modulated(x, m.shift(), m.scale());
      Value hidden = params.linear(name + ".net.0.proj", modulated, 4 * config.width());
      Value out =
          params.linear(name + ".net.2", g.activate(Activation.GELU_TANH, hidden), config.width());
      return g.gatedAdd(x, m.gate(), out);
    }
  }
}
