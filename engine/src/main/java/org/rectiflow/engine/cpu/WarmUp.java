package org.rectiflow.engine.cpu;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.safetensors.DType;

/**
 * Runs the kernels of transformers on small operands, on a thread of its own, until the virtual
 * machine has compiled them. Before that a kernel is a thousand times slower, and all threads of a
 * real run would compete with the compiler for the processors.
 */
final class WarmUp {
  private static final List<DType> DTYPES = List.of(DType.F16, DType.BF16, DType.F32);

  /** Runs of each graph; measured: fewer leave kernels uncompiled, more only take time. */
  private static final int RUNS = 20;

  /** A wide and a narrow panel of rows. */
  private static final int TOKENS = 40;

  private static final int WIDTH = 64;
  private static final float EPS = 1e-6f;

  private final Thread thread =
      Thread.ofPlatform().daemon().name("rectiflow-warm-up").start(WarmUp::run);

  /** Waits until it is done. */
  void await() {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void run() {
    Map<String, Feed> feeds =
        Map.of(
            "x", Feed.of(Tensor.zeros(Shape.of(1, TOKENS, WIDTH))),
            "y", Feed.of(Tensor.zeros(Shape.of(1, WIDTH))));
    try (Workers workers = new Workers(1);
        Arena weights = Arena.ofConfined()) {
      List<Executable> graphs = new ArrayList<>();
      for (DType dtype : DTYPES) {
        Graph graph = new Graph();
        new Blocks(graph, dtype, weights).record();
        graphs.add(new CpuExecutable("warm-up", graph, workers, new Profile()));
      }
      for (int i = 0; i < RUNS; i++) {
        graphs.forEach(graph -> graph.run(feeds));
      }
      graphs.forEach(Executable::close);
    }
  }

  /** Blocks of the text encoders and of the transformer, with weights of zero. */
  private record Blocks(Graph g, DType dtype, Arena arena) {

    void record() {
      Value x = g.input("x", 1, TOKENS, WIDTH);
      Value y = g.input("y", 1, WIDTH);
      for (Activation function :
          List.of(Activation.QUICK_GELU, Activation.GELU_ERF, Activation.GELU_TANH)) {
        boolean modulated = function == Activation.GELU_TANH;
        Value normed =
            modulated
                ? g.modulate(g.layerNorm(x, EPS), y, y)
                : g.layerNorm(x, weight(WIDTH), weight(WIDTH), EPS);
        Qkv qkv = new Qkv(linear(normed), linear(normed), linear(normed));
        Value attended =
            modulated
                ? g.jointAttention(1, List.of(qkv, qkv)).getFirst()
                : g.selfAttention(1, qkv, 0.125f, true, null);
        x = add(x, y, linear(attended), modulated);
        x = add(x, y, linear(g.activate(function, linear(x))), modulated);
      }
      g.output("x", x);
      g.output("y", linear(g.silu(linear(y))));
    }

    private Value add(Value x, Value gate, Value branch, boolean gated) {
      return gated ? g.gatedAdd(x, gate, branch) : g.add(x, branch);
    }

    private Value linear(Value x) {
      return g.linear(x, weight(WIDTH, WIDTH), weight(WIDTH));
    }

    private Value weight(int... dims) {
      Shape shape = Shape.of(dims);
      return g.parameter(
          new Weight(
              "warm-up", dtype, shape, arena.allocate(shape.count() * dtype.bits() / 8, 64)));
    }
  }
}
