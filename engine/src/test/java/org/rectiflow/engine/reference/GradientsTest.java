package org.rectiflow.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.CpuBackend;

/**
 * The derivative of every op against central differences, all in double precision, over random
 * shapes; and the cpu backend against the reference on the same graphs.
 */
class GradientsTest {
  private static final int SHAPES_PER_OP = 8;
  private static final double STEP = 1e-5;

  /** A loss of random inputs, every one of which is differentiated by. */
  private static final class Case {
    final Random random;
    final Graph g = new Graph();
    final Map<Value, Reals> inputs = new LinkedHashMap<>();
    final Map<Value, IntTensor> ints = new LinkedHashMap<>();
    final Map<String, Feed> feeds = new HashMap<>();
    final List<Value> losses = new ArrayList<>();

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
      Tensor tensor = values(dims);
      String name = "in" + feeds.size();
      feeds.put(name, Feed.of(tensor));
      Value value = g.input(name, dims);
      double[] data = new double[tensor.data().length];
      for (int i = 0; i < data.length; i++) {
        data[i] = tensor.data()[i];
      }
      inputs.put(value, new Reals(value.shape(), data));
      return value;
    }

    Value ids(int rows, int... dims) {
      IntTensor ids = IntTensor.of(random.ints(Shape.of(dims).count(), 0, rows).toArray(), dims);
      String name = "in" + feeds.size();
      feeds.put(name, Feed.of(ids));
      Value value = g.intInput(name, dims);
      ints.put(value, ids);
      return value;
    }

    /** Adds the sum of the result's elements, each times a random number, to the loss. */
    void loss(Value result) {
      Value weighed = g.mul(result, g.constant(values(result.shape().dims())));
      losses.add(g.sum(g.reshape(weighed, (int) weighed.shape().count()), 0));
    }

    Map<Value, Reals> evaluate(Map<Value, Reals> at) {
      Map<Value, Reals> floats = new HashMap<>(at);
      ReferenceInterpreter.run(g, floats, new HashMap<>(ints), (_, _) -> {});
      return floats;
    }
  }

  private interface Recording {
    void record(Case c, Graph g);
  }

  @TestFactory
  List<DynamicTest> everyDerivativeAgreesWithDifferences() {
    Map<String, Recording> ops = new LinkedHashMap<>();
    ops.put("linear", GradientsTest::linear);
    ops.put("matrix products", GradientsTest::matMul);
    ops.put("joint attention", GradientsTest::jointAttention);
    ops.put("attention of many samples", GradientsTest::manySamples);
    ops.put("masked and biased attention", GradientsTest::selfAttention);
    ops.put("conv2d", GradientsTest::conv2d);
    ops.put("layer norm", GradientsTest::layerNorm);
    ops.put("rms norm", GradientsTest::rmsNorm);
    ops.put("group norm", GradientsTest::groupNorm);
    ops.put("modulate, gated add", GradientsTest::modulate);
    ops.put("modulated layer norm", GradientsTest::modulatedNorm);
    ops.put("add, mul, affine", GradientsTest::elementwise);
    ops.put("activations", GradientsTest::activations);
    ops.put("clamp", (c, g) -> c.loss(g.clamp(c.input(c.size(5), c.size(70)), -0.5f, 0.8f)));
    ops.put("sum, repeat", GradientsTest::sums);
    ops.put("log-sum-exp", GradientsTest::logSumExp);
    ops.put("losses", GradientsTest::losses);
    ops.put("gather", GradientsTest::gather);
    ops.put(
        "timestep features",
        (c, g) -> c.loss(g.timestepFeatures(c.input(c.size(4)), 2 * c.size(20))));
    ops.put(
        "upsample",
        (c, g) -> c.loss(g.upsampleNearest2x(c.input(c.size(2), c.size(3), c.size(7), c.size(9)))));
    ops.put("slice, concat, permute, reshape", GradientsTest::layouts);
    List<DynamicTest> tests = new ArrayList<>();
    ops.forEach((name, recording) ->
        tests.add(DynamicTest.dynamicTest(name, () -> agree(name, recording))));
    return tests;
  }

  private static void agree(String name, Recording recording) {
    double differences = 0;
    double backends = 0;
    for (int seed = 0; seed < SHAPES_PER_OP; seed++) {
      Case c = new Case(seed);
      recording.record(c, c.g);
      Value loss = c.losses.stream().reduce(c.g::add).orElseThrow();
      List<Value> wrt = List.copyOf(c.inputs.keySet());
      List<Value> gradients = Gradients.of(c.g, loss, wrt);
      Map<Value, Reals> at = c.evaluate(c.inputs);
      for (int i = 0; i < wrt.size(); i++) {
        differences =
            Math.max(differences, difference(c, loss, wrt.get(i), at.get(gradients.get(i))));
        c.g.output("g" + i, gradients.get(i));
      }
      backends = Math.max(backends, compareBackends(c));
    }
    System.out.printf(
        "%s: largest difference to central differences %.1e, of cpu to reference %.1e%n",
        name, differences, backends);
    assertThat(differences).isLessThan(1e-7);
    assertThat(backends).isLessThan(5e-6);
  }

  /** Along one random direction: sum of gradient times direction against a central difference. */
  private static double difference(Case c, Value loss, Value x, Reals gradient) {
    assertThat(gradient.shape()).isEqualTo(x.shape());
    double[] direction = new double[gradient.data().length];
    double expected = 0;
    double scale = 1e-2;
    for (int i = 0; i < direction.length; i++) {
      direction[i] = c.random.nextGaussian();
      expected += direction[i] * gradient.data()[i];
      scale += Math.abs(direction[i] * gradient.data()[i]);
    }
    double slope =
        (lossAt(c, loss, x, direction, STEP) - lossAt(c, loss, x, direction, -STEP)) / (2 * STEP);
    return Math.abs(slope - expected) / scale;
  }

  private static double lossAt(Case c, Value loss, Value x, double[] direction, double step) {
    double[] moved = c.inputs.get(x).data().clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * direction[i];
    }
    Map<Value, Reals> inputs = new HashMap<>(c.inputs);
    inputs.put(x, new Reals(x.shape(), moved));
    return c.evaluate(inputs).get(loss).data()[0];
  }

  private static double compareBackends(Case c) {
    Map<String, Tensor> expected = run(new ReferenceBackend(), c);
    Map<String, Tensor> one = run(new CpuBackend(1), c);
    assertThat(run(new CpuBackend(3), c)).as("three threads").isEqualTo(one);
    double worst = 0;
    for (String output : expected.keySet()) {
      float[] want = expected.get(output).data();
      // Inputs are of order one; a derivative may cancel to nothing, as that of one key's softmax.
      double size = 0.1;
      for (float w : want) {
        size = Math.max(size, Math.abs(w));
      }
      for (int i = 0; i < want.length; i++) {
        worst = Math.max(worst, Math.abs(one.get(output).data()[i] - want[i]) / size);
      }
    }
    return worst;
  }

  private static Map<String, Tensor> run(Backend backend, Case c) {
    try (backend;
        Executable executable = backend.compile("test", c.g)) {
      return executable.run(c.feeds);
    }
  }

  private static void linear(Case c, Graph g) {
    int k = c.size(40);
    int n = c.size(40);
    Value x = c.input(c.size(3), c.size(20), k);
    c.loss(g.linear(x, c.input(n, k), c.input(n)));
    c.loss(g.linear(x, c.input(n, k)));
  }

  private static void matMul(Case c, Graph g) {
    int m = c.size(20);
    int n = c.size(30);
    int k = c.size(40);
    for (int i = 0; i < 4; i++) {
      boolean ta = i % 2 == 1;
      boolean tb = i > 1;
      Value a = ta ? c.input(k, m) : c.input(m, k);
      c.loss(g.matMul(a, ta, tb ? c.input(n, k) : c.input(k, n), tb));
    }
  }

  private static Qkv qkv(Case c, int b, int t, int width) {
    return new Qkv(c.input(b, t, width), c.input(b, t, width), c.input(b, t, width));
  }

  private static void jointAttention(Case c, Graph g) {
    int heads = c.size(3);
    int width = heads * c.size(20);
    int b = c.size(2);
    List<Qkv> streams = List.of(qkv(c, b, c.size(40), width), qkv(c, b, c.size(90), width));
    List<Value> results = g.jointAttention(heads, streams);
    c.loss(results.get(0));
    if (c.random.nextBoolean()) {
      c.loss(results.get(1));
    }
  }

  /** So many that a task has several heads. */
  private static void manySamples(Case c, Graph g) {
    int b = 25 + c.size(20);
    int width = 3 * c.size(20);
    List<Qkv> streams = List.of(qkv(c, b, c.size(3), width), qkv(c, b, c.size(4), width));
    List<Value> results = g.jointAttention(3, streams);
    c.loss(results.get(0));
    c.loss(results.get(1));
  }

  private static void selfAttention(Case c, Graph g) {
    int heads = c.size(3);
    int width = heads * c.size(15);
    int t = c.size(80);
    Qkv x = qkv(c, c.size(2), t, width);
    c.loss(g.selfAttention(heads, x, 0.3f, true, null));
    c.loss(g.selfAttention(heads, x, 0.5f, false, c.input(heads, t, t)));
  }

  private static void conv2d(Case c, Graph g) {
    int in = c.size(5);
    int out = c.size(6);
    int size = 1 + 2 * c.random.nextInt(2);
    Padding padding =
        size == 1
            ? Padding.all(0)
            : c.random.nextBoolean() ? Padding.all(1) : new Padding(0, 1, 0, 1);
    Value x = c.input(c.size(2), in, 3 + c.size(9), 3 + c.size(14));
    int stride = 1 + c.random.nextInt(2);
    c.loss(g.conv2d(x, c.input(out, in, size, size), c.input(out), stride, padding));
  }

  private static void layerNorm(Case c, Graph g) {
    int channels = 1 + c.size(50);
    Value x = c.input(c.size(2), c.size(9), channels);
    c.loss(g.layerNorm(x, 1e-3f));
    c.loss(g.layerNorm(x, c.input(channels), c.input(channels), 1e-2f));
  }

  private static void rmsNorm(Case c, Graph g) {
    int d = c.random.nextBoolean() ? 16 * c.size(5) : c.size(70);
    c.loss(g.rmsNorm(c.input(c.size(2), c.size(9), c.size(4), d), c.input(d), 1e-3f));
  }

  private static void groupNorm(Case c, Graph g) {
    int groups = c.size(4);
    int channels = groups * c.size(4);
    Value x = c.input(c.size(2), channels, 1 + c.size(9), 1 + c.size(20));
    c.loss(g.silu(g.groupNorm(x, c.input(channels), c.input(channels), groups, 1e-3f)));
  }

  private static void modulate(Case c, Graph g) {
    int b = c.size(3);
    int t = c.size(9);
    int channels = c.size(40);
    Value x = c.input(b, t, channels);
    c.loss(g.modulate(x, c.input(b, channels), c.input(b, channels)));
    c.loss(g.gatedAdd(x, c.input(b, channels), c.input(b, t, channels)));
  }

  /** Also samples of more rows than a task takes, and a norm that is used twice. */
  private static void modulatedNorm(Case c, Graph g) {
    int b = c.size(3);
    int channels = 2 + c.size(40);
    Value x = c.input(b, c.random.nextInt(4) == 0 ? 2000 : c.size(9), channels);
    Value normed = g.layerNorm(x, 1e-3f);
    c.loss(g.add(x, g.modulate(normed, c.input(b, channels), c.input(b, channels))));
    c.loss(g.mul(normed, c.input(channels)));
  }

  private static void elementwise(Case c, Graph g) {
    int t = c.size(12);
    int channels = c.size(40);
    Value x = c.input(c.size(3), t, channels);
    c.loss(g.add(x, c.input(1, t, channels)));
    c.loss(g.mul(x, c.input(channels)));
    c.loss(g.mul(x, x));
    c.loss(g.subtract(g.affine(x, 0.7f, -0.2f), c.input(t, channels)));
  }

  private static void activations(Case c, Graph g) {
    Value x = c.input(c.size(3), c.size(300));
    for (Activation function : Activation.values()) {
      c.loss(g.activate(function, g.affine(x, 1.5f, 0)));
    }
  }

  private static void sums(Case c, Graph g) {
    Value x = c.input(c.size(4), c.size(30), c.size(70));
    for (int axis = 0; axis < 3; axis++) {
      Value summed = g.sum(x, axis);
      c.loss(summed);
      c.loss(g.mul(g.repeat(summed, axis, 3), g.repeat(summed, axis, 3)));
    }
  }

  /** Values whose exponentials would overflow a float too. */
  private static void logSumExp(Case c, Graph g) {
    Value x = c.input(c.size(4), c.size(9), c.size(90));
    c.loss(g.logSumExp(x));
    c.loss(g.logSumExp(g.affine(x, 2, 200)));
  }

  private static void losses(Case c, Graph g) {
    Value x = c.input(c.size(4), c.size(30));
    Value y = c.input(x.shape().dims());
    c.loss(g.meanSquaredError(x, y));
    c.loss(g.meanAbsoluteError(x, y));
  }

  private static void gather(Case c, Graph g) {
    int rows = c.size(20);
    Value table = c.input(rows, c.size(70));
    c.loss(g.gather(table, c.ids(rows, c.size(3), c.size(9))));
    c.loss(g.gather(table, c.ids(rows, c.size(30))));
  }

  private static void layouts(Case c, Graph g) {
    int b = c.size(3);
    int t = 2 * c.size(9);
    int channels = c.size(20);
    Value x = c.input(b, t, channels, 3);
    c.loss(g.permute(x, 3, 1, 0, 2));
    List<Value> halves = g.chunk(x, 1, 2);
    c.loss(halves.get(1));
    c.loss(g.concat(1, List.of(halves.get(1), halves.get(0), g.mul(x, x))));
    c.loss(g.slice(x, 2, channels / 2, channels - channels / 2));
    c.loss(g.reshape(g.slice(x, 3, 1, 2), 2 * b * t * channels));
    c.loss(g.silu(g.slice(x, 3, 0, 2)));
  }

  @Test
  void theLossIsOneNumberThatDependsOnWhatIsAsked() {
    Graph g = new Graph();
    Value x = g.input("x", 3);
    Value z = g.input("z", 3);

    assertThatThrownBy(() -> Gradients.of(g, g.mul(x, x), List.of(x)))
        .hasMessage("the loss must be one number, got a tensor of shape [3]");
    assertThatThrownBy(() -> Gradients.of(g, g.mean(x), List.of(x, z)))
        .hasMessageContaining("the loss does not depend on %1[3]");
  }

  @Test
  void theLogSumExpIsSavedOnlyWhereABackwardPassNeedsIt() {
    Graph g = new Graph();
    BiFunction<String, Integer, Value> input = (name, t) -> g.input(name, 1, t, 8);
    Qkv x = new Qkv(input.apply("q", 5), input.apply("k", 5), input.apply("v", 5));
    Value y = g.jointAttention(2, List.of(x)).getFirst();
    assertThat(g.nodes().get(y.node()).outputs()).hasSize(1);

    Gradients.of(g, g.mean(y), List.of(x.k()));

    assertThat(g.nodes().get(y.node()).outputs()).hasSize(2).contains(y);
  }
}
