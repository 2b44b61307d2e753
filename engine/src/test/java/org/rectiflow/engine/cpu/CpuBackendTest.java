package org.rectiflow.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.safetensors.DType;

/** Every op, alone and fused, against the reference backend over random shapes. */
class CpuBackendTest {
  private static final int SHAPES_PER_OP = 12;
  private static final List<DType> STORED =
      List.of(DType.F32, DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2);

  /** A graph with random inputs, made by a test case. */
  private static final class Case {
    final Random random;
    final Graph graph = new Graph();
    final Map<String, Feed> feeds = new HashMap<>();

    Case(long seed) {
      random = new Random(seed);
    }

    /** 1 to {@code most}, small and odd sizes preferred. */
    int size(int most) {
      return random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 1 + random.nextInt(most);
    }

    Tensor values(int... dims) {
      Tensor tensor = Tensor.zeros(Shape.of(dims));
      for (int i = 0; i < tensor.data().length; i++) {
        tensor.data()[i] = (float) random.nextGaussian();
      }
      return tensor;
    }

    Value input(int... dims) {
      String name = "in" + feeds.size();
      feeds.put(name, Feed.of(values(dims)));
      return graph.input(name, dims);
    }

    Value ids(int rows, int... dims) {
      int[] ids = random.ints(Shape.of(dims).count(), 0, rows).toArray();
      String name = "in" + feeds.size();
      feeds.put(name, Feed.of(IntTensor.of(ids, dims)));
      return graph.intInput(name, dims);
    }

    /** A parameter in a random stored type. */
    Value parameter(int... dims) {
      DType dtype = STORED.get(random.nextInt(STORED.size()));
      return graph.parameter(StoredWeight.of("w", dtype, values(dims)));
    }

    void output(Value value) {
      graph.output("out" + graph.outputs().size(), value);
    }
  }

  private interface Recording {
    void record(Case c, Graph g);
  }

  @TestFactory
  List<DynamicTest> everyOpAgreesWithTheReference() {
    Map<String, Recording> ops = new LinkedHashMap<>();
    ops.put("linear", CpuBackendTest::linear);
    ops.put("linear+activation+gated add", CpuBackendTest::gatedLinear);
    ops.put("linear+activation*linear", CpuBackendTest::multipliedLinear);
    ops.put("linear+add", CpuBackendTest::addedLinear);
    ops.put("linears of the same rows", CpuBackendTest::linears);
    ops.put("linear, norm and what follows, all kept", CpuBackendTest::kept);
    ops.put("sums of products", CpuBackendTest::sumOfProducts);
    ops.put("derivatives by weights and biases", CpuBackendTest::weightGrads);
    ops.put("joint attention", CpuBackendTest::jointAttention);
    ops.put("masked and biased attention", CpuBackendTest::selfAttention);
    ops.put("conv2d", CpuBackendTest::conv2d);
    ops.put("upsample+conv2d+add", CpuBackendTest::upsampledConv2d);
    ops.put("upsample", (c, g) -> c.output(g.upsampleNearest2x(map(c))));
    ops.put("layer norm", CpuBackendTest::layerNorm);
    ops.put("rms norm", CpuBackendTest::rmsNorm);
    ops.put("group norm", CpuBackendTest::groupNorm);
    ops.put("modulate, gated add", CpuBackendTest::modulate);
    ops.put("add, mul, affine", CpuBackendTest::elementwise);
    ops.put("activations", CpuBackendTest::activations);
    ops.put("gather", CpuBackendTest::gather);
    ops.put("timestep features", CpuBackendTest::timestepFeatures);
    ops.put("slice, concat, permute, reshape", CpuBackendTest::layouts);
    List<DynamicTest> tests = new ArrayList<>();
    ops.forEach((name, recording) ->
        tests.add(DynamicTest.dynamicTest(name, () -> agree(name, recording))));
    return tests;
  }

  private static void agree(String name, Recording recording) {
    double worst = 0;
    for (int seed = 0; seed < SHAPES_PER_OP; seed++) {
      Case c = new Case(seed);
      recording.record(c, c.graph);
      Map<String, Tensor> expected;
      try (Backend backend = new ReferenceBackend();
          Executable executable = backend.compile("test", c.graph)) {
        expected = executable.run(c.feeds);
      }
      Map<String, Tensor> one = run(c, 1);
      Map<String, Tensor> three = run(c, 3);
      for (String output : expected.keySet()) {
        assertThat(three.get(output)).as("threads, seed %d", seed).isEqualTo(one.get(output));
        float[] want = expected.get(output).data();
        float[] got = one.get(output).data();
        double size = 1e-3;
        for (float w : want) {
          size = Math.max(size, Math.abs(w));
        }
        for (int i = 0; i < want.length; i++) {
          worst = Math.max(worst, Math.abs(got[i] - want[i]) / size);
        }
      }
    }
    System.out.printf("%s: largest difference %.1e of the largest value%n", name, worst);
    assertThat(worst).isLessThan(3e-6);
  }

  private static Map<String, Tensor> run(Case c, int threads) {
    try (Backend backend = new CpuBackend(threads);
        Executable executable = backend.compile("test", c.graph)) {
      Map<String, Tensor> first = executable.run(c.feeds);
      assertThat(executable.run(c.feeds)).as("a second run").isEqualTo(first);
      return first;
    }
  }

  private static void linear(Case c, Graph g) {
    int k = c.size(70);
    int n = c.size(70);
    Value x = c.input(c.random.nextInt(3), c.size(40), k);
    c.output(g.linear(x, c.parameter(n, k), c.parameter(n)));
    c.output(g.linear(x, c.parameter(n, k)));
  }

  private static void gatedLinear(Case c, Graph g) {
    int b = c.size(3);
    int t = c.size(30);
    int k = c.size(40);
    int n = c.size(40);
    Value hidden = g.linear(c.input(b, t, k), c.parameter(n, k), c.parameter(n));
    Value gate = c.input(b, n);
    Value residual = c.input(b, t, n);
    c.output(g.gatedAdd(residual, gate, g.activate(Activation.GELU_TANH, hidden)));
    Value plain = g.linear(c.input(b, t, k), c.parameter(n, k), c.parameter(n));
    c.output(g.gatedAdd(residual, gate, plain));
  }

  private static void multipliedLinear(Case c, Graph g) {
    int t = c.size(30);
    int k = c.size(40);
    int n = c.size(40);
    Value x = c.input(1, t, k);
    Value a = g.activate(Activation.GELU_TANH, g.linear(x, c.parameter(n, k)));
    c.output(g.mul(a, g.linear(x, c.parameter(n, k))));
  }

  private static void addedLinear(Case c, Graph g) {
    int t = c.size(30);
    int k = c.size(40);
    int n = c.size(40);
    Value y = g.linear(c.input(t, k), c.parameter(n, k), c.parameter(n));
    Value residual = c.input(t, n);
    c.output(c.random.nextBoolean() ? g.add(residual, y) : g.add(y, residual));
  }

  /** Few or many rows, which take different ways through the kernels. */
  private static int rows(Case c) {
    return c.random.nextBoolean() ? c.size(40) : 256 + c.size(100);
  }

  /** Queries, keys and values; the queries are used before the rest is recorded. */
  private static void linears(Case c, Graph g) {
    int k = c.size(70);
    int n = 16 * c.size(4);
    boolean floats = c.random.nextBoolean();
    Value x = c.input(1, rows(c), k);
    List<Value> weights = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      weights.add(floats ? c.input(n, k) : c.parameter(n, k));
    }
    Value q = g.linear(x, weights.get(0), c.parameter(n));
    c.output(g.affine(q, 2, 1));
    c.output(g.linear(x, weights.get(1)));
    c.output(g.linear(x, weights.get(2), c.parameter(n)));
    c.output(g.linear(x, c.input(c.size(70), k)));
  }

  private static void kept(Case c, Graph g) {
    int k = c.size(70);
    int n = c.size(70);
    int t = rows(c);
    Value x = c.input(1, t, k);
    Value hidden = g.linear(x, c.input(n, k), c.parameter(n));
    c.output(g.activate(Activation.GELU_TANH, hidden));
    Value branch = g.linear(x, c.input(n, k), c.parameter(n));
    c.output(g.gatedAdd(hidden, c.input(1, n), branch));
    Value normed = g.layerNorm(x, 1e-5f);
    c.output(g.modulate(normed, c.input(1, k), c.input(1, k)));
    c.output(hidden);
    c.output(g.mul(branch, branch));
    c.output(normed);
  }

  private static void sumOfProducts(Case c, Graph g) {
    int m = rows(c);
    int n = c.size(70);
    Value sum = c.random.nextBoolean() ? c.input(1, m, n) : null;
    for (int i = 0; i < 3; i++) {
      int k = c.size(300);
      Value product = g.reshape(g.matMul(c.input(m, k), false, c.input(k, n), false), 1, m, n);
      sum = sum == null ? product : g.add(sum, product);
    }
    c.output(sum);
  }

  private static void weightGrads(Case c, Graph g) {
    int length = rows(c);
    int m = c.size(70);
    int n = c.size(70);
    Value x = c.input(1, length, n);
    for (int i = 0; i < 3; i++) {
      Value dy = c.input(length, m);
      c.output(g.matMul(dy, true, g.reshape(x, length, n), false));
      c.output(g.sum(dy, 0));
    }
  }

  private static Qkv qkv(Case c, int b, int t, int width) {
    return new Qkv(c.input(b, t, width), c.input(b, t, width), c.input(b, t, width));
  }

  private static void jointAttention(Case c, Graph g) {
    int heads = c.size(3);
    int width = heads * c.size(80);
    int b = c.size(2);
    List<Qkv> streams = List.of(qkv(c, b, c.size(60), width), qkv(c, b, c.size(300), width));
    g.jointAttention(heads, streams).forEach(c::output);
  }

  private static void selfAttention(Case c, Graph g) {
    int heads = c.size(3);
    int width = heads * c.size(40);
    int t = c.size(100);
    Qkv x = qkv(c, c.size(2), t, width);
    c.output(g.selfAttention(heads, x, 0.3f, true, null));
    c.output(g.selfAttention(heads, x, 1, false, c.input(heads, t, t)));
  }

  private static Value map(Case c) {
    return c.input(c.size(2), c.size(5), c.size(20), c.size(20));
  }

  private static void conv2d(Case c, Graph g) {
    int in = c.size(6);
    int out = c.size(9);
    int size = 1 + 2 * c.random.nextInt(2);
    Padding padding = c.random.nextBoolean() ? Padding.all(size / 2) : new Padding(0, 1, 0, 1);
    Value x = c.input(c.size(2), in, 3 + c.size(20), 3 + c.size(40));
    Value w = c.parameter(out, in, size, size);
    c.output(g.conv2d(x, w, c.parameter(out), 1 + c.random.nextInt(2), padding));
  }

  private static void upsampledConv2d(Case c, Graph g) {
    int in = c.size(6);
    int out = c.size(9);
    int h = c.size(12);
    int w = c.size(20);
    Value big = g.upsampleNearest2x(c.input(1, in, h, w));
    Value y = g.conv2d(big, c.parameter(out, in, 3, 3), c.parameter(out), 1, Padding.all(1));
    c.output(g.add(c.input(1, out, 2 * h, 2 * w), y));
  }

  private static void layerNorm(Case c, Graph g) {
    int b = c.size(2);
    int channels = 1 + c.size(90);
    Value x = c.input(b, c.size(9), channels);
    c.output(g.layerNorm(x, 1e-6f));
    c.output(g.layerNorm(x, c.parameter(channels), c.parameter(channels), 1e-5f));
    Value shift = c.input(b, channels);
    c.output(g.modulate(g.layerNorm(x, 1e-6f), shift, c.input(b, channels)));
  }

  private static void rmsNorm(Case c, Graph g) {
    int d = c.size(70);
    c.output(g.rmsNorm(c.input(c.size(2), c.size(9), c.size(4), d), c.parameter(d), 1e-6f));
  }

  private static void groupNorm(Case c, Graph g) {
    int groups = c.size(4);
    int channels = groups * c.size(4);
    Value x = c.input(c.size(2), channels, 1 + c.size(9), 1 + c.size(20));
    Value norm = g.groupNorm(x, c.parameter(channels), c.parameter(channels), groups, 1e-6f);
    c.output(norm);
    c.output(g.silu(g.groupNorm(x, c.parameter(channels), c.parameter(channels), groups, 1e-6f)));
  }

  private static void modulate(Case c, Graph g) {
    int b = c.size(3);
    int channels = c.size(70);
    Value x = c.input(b, c.size(9), channels);
    Value shift = c.input(b, channels);
    c.output(g.modulate(x, shift, c.input(b, channels)));
    c.output(g.gatedAdd(x, shift, c.input(x.shape().dims())));
  }

  private static void elementwise(Case c, Graph g) {
    int t = c.size(30);
    int channels = c.size(70);
    Value x = c.input(c.size(3), t, channels);
    c.output(g.add(x, c.parameter(1, t, channels)));
    c.output(g.mul(x, c.input(channels)));
    c.output(g.mul(x, x));
    c.output(g.affine(x, 0.7f, -0.2f));
  }

  private static void activations(Case c, Graph g) {
    Value x = g.affine(c.input(c.size(3), c.size(900)), 4, 0);
    for (Activation function : Activation.values()) {
      c.output(g.activate(function, x));
    }
  }

  private static void gather(Case c, Graph g) {
    int rows = c.size(50);
    int channels = c.size(70);
    Value ids = c.ids(rows, c.size(3), c.size(9));
    c.output(g.gather(c.parameter(rows, channels), ids));
    c.output(g.gather(c.input(rows, channels), g.reshape(ids, (int) ids.shape().count())));
    c.output(g.gather(c.parameter(rows, channels), g.constant(IntTensor.of(new int[] {0}, 1))));
  }

  private static void timestepFeatures(Case c, Graph g) {
    int b = c.size(4);
    float[] timesteps = new float[b];
    for (int i = 0; i < b; i++) {
      timesteps[i] = 1000 * c.random.nextFloat();
    }
    c.feeds.put("t", Feed.of(Tensor.of(timesteps, b)));
    c.output(g.timestepFeatures(g.input("t", b), 2 * c.size(128)));
  }

  private static void layouts(Case c, Graph g) {
    int b = c.size(3);
    int t = 2 * c.size(9);
    int channels = c.size(40);
    Value x = c.input(b, t, channels, 3);
    c.output(g.permute(x, 0, 2, 1, 3));
    c.output(g.permute(x, 3, 1, 0, 2));
    List<Value> halves = g.chunk(x, 1, 2);
    c.output(halves.get(1));
    c.output(g.concat(1, List.of(halves.get(1), halves.get(0))));
    c.output(g.concat(0, List.of(g.silu(x), g.affine(x, 2, 1))));
    c.output(
        g.reshape(
            g.slice(x, 2, channels / 2, channels - channels / 2),
            3 * b * t * (channels - channels / 2)));
    c.output(g.add(c.input(4, channels), g.slice(c.parameter(9, channels), 0, 2, 4)));
    c.output(g.constant(Tensor.zeros(Shape.of(2, 3))));
  }

  @Test
  void theNanGuardNamesTheFirstBadOp() {
    Graph g = new Graph();
    Value x = g.input("x", 1, 4);
    Value y;
    try (Graph.Scope _ = g.scope("block3")) {
      y = g.mul(x, x);
    }
    g.output("y", g.silu(g.affine(y, 1, 1)));
    try (Backend backend = new CpuBackend(1);
        Executable executable = backend.compile("mmdit", g)) {
      Tensor huge = Tensor.of(new float[] {1, 2, 1e30f, 4}, 1, 4);

      assertThatThrownBy(() -> executable.run(Map.of("x", Feed.of(huge))))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("Mul in block3")
          .hasMessageContaining("element 2");
      Tensor fine = Tensor.of(new float[] {1, 2, 3, 4}, 1, 4);
      assertThat(executable.run(Map.of("x", Feed.of(fine)))).containsKey("y");
    }
  }

  @Test
  void theNanGuardNamesABadWeight() {
    Graph g = new Graph();
    Tensor bad = Tensor.of(new float[] {1, Float.NaN}, 1, 2);
    g.output("y", g.linear(g.input("x", 3, 2), g.parameter(Weight.of("to_q.weight", bad))));
    try (Backend backend = new CpuBackend(1);
        Executable executable = backend.compile("mmdit", g)) {

      assertThatThrownBy(() -> executable.run(Map.of("x", Feed.of(Tensor.zeros(Shape.of(3, 2))))))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("the weight to_q.weight has a value of NaN");
    }
  }

  @Test
  void wrongFeedsAreRefused() {
    Graph g = new Graph();
    g.output("y", g.silu(g.input("x", 3, 2)));
    try (Backend backend = new CpuBackend(1);
        Executable executable = backend.compile("test", g)) {

      assertThatThrownBy(() -> executable.run(Map.of()))
          .hasMessage("no value for the graph's input x");
      assertThatThrownBy(() -> executable.run(Map.of("x", Feed.of(Tensor.zeros(Shape.of(2, 3))))))
          .hasMessage("input x expects F32 [3, 2], got F32 [2, 3]");
      assertThatThrownBy(() ->
              executable.run(
                  Map.of(
                      "x", Feed.of(Tensor.zeros(Shape.of(3, 2))),
                      "z", Feed.of(Tensor.zeros(Shape.of(1))))))
          .hasMessage("the graph has no input named z");
    }
  }

  @Test
  void theProfileCountsRunsAndWork() {
    Graph g = new Graph();
    Value x = g.input("x", 5, 8);
    try (Graph.Scope _ = g.scope("layer0")) {
      g.output("y", g.silu(g.linear(x, g.parameter(Weight.of("w", Tensor.zeros(Shape.of(3, 8)))))));
    }
    try (Backend backend = new CpuBackend(1);
        Executable executable = backend.compile("net", g)) {
      executable.run(Map.of("x", Feed.of(Tensor.zeros(Shape.of(5, 8)))));
      executable.run(Map.of("x", Feed.of(Tensor.zeros(Shape.of(5, 8)))));

      Profile.Entry entry = backend.profile().entries().getFirst();
      assertThat(entry.op()).isEqualTo("Linear+Activate");
      assertThat(entry.layer()).isEqualTo("net.layer0");
      assertThat(entry.runs()).isEqualTo(2);
      assertThat(entry.cost().flops()).isEqualTo(2 * (2 * 5 * 8 * 3 + 10 * 5 * 3));
      // x and w read, y written; what passes between product and SiLU costs nothing.
      assertThat(entry.cost().bytes()).isEqualTo(2 * 4 * (5 * 8 + 3 * 8 + 5 * 3));
    }
  }

  /** Queries come before the norm that uses them, the derivatives wait for each other. */
  @Test
  void whatReadsTheSameRowsIsOneKernel() {
    Case c = new Case(1);
    Graph g = c.graph;
    Value x = c.input(1, 40, 32);
    c.output(g.rmsNorm(g.linear(x, c.input(16, 32)), c.input(16), 1e-6f));
    c.output(g.linear(x, c.input(16, 32)));
    Value dy = c.input(40, 16);
    Value dx = g.matMul(dy, false, c.input(16, 32), false);
    c.output(g.matMul(dy, true, g.reshape(x, 40, 32), false));
    c.output(g.sum(dy, 0));
    c.output(g.add(dx, g.matMul(c.input(40, 16), false, c.input(16, 32), false)));
    try (Backend backend = new CpuBackend(1);
        Executable executable = backend.compile("net", g)) {
      executable.run(c.feeds);

      List<Profile.Entry> entries = backend.profile().entries();
      assertThat(entries.stream().map(Profile.Entry::op))
          .containsExactly("Linear+Linear", "RmsNorm", "MatMul+Sum", "MatMul+MatMul+Add");
      // x once, two weights, two results.
      assertThat(entries.getFirst().cost().bytes())
          .isEqualTo(4 * (40 * 32 + 2 * 16 * 32 + 2 * 40 * 16));
    }
  }
}
