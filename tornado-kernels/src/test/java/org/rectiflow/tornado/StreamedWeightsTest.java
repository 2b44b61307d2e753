package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Profile.Entry;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** Checkpoints that are larger than the device's memory. */
class StreamedWeightsTest {
  private static final int WIDTH = 256;
  private static final int LAYERS = 6;
  private static final long MB = 1 << 20;

  private TornadoBackend backend;
  private TornadoDevice device;

  @BeforeEach
  void open() {
    backend = Device.open();
    device = TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0);
  }

  @AfterEach
  void close() {
    if (backend != null) {
      backend.close();
    }
  }

  /** Layers of 256 KB of weights each, the last one smaller. */
  private static Graph layers(float last) {
    Random random = new Random(2);
    Graph g = new Graph();
    Value x = g.input("x", 20, WIDTH);
    for (int i = 0; i < LAYERS; i++) {
      int n = i == LAYERS - 1 ? WIDTH - 9 : WIDTH;
      float[] values = new float[n * WIDTH];
      for (int j = 0; j < values.length; j++) {
        values[j] = 0.1f * (float) random.nextGaussian();
      }
      if (i == LAYERS - 1) {
        values[values.length - 1] *= last;
      }
      Tensor tensor = new Tensor(Shape.of(n, WIDTH), values);
      x = g.silu(g.linear(x, g.parameter(Weight.of("layer" + i, tensor))));
    }
    g.output("y", x);
    return g;
  }

  private static Map<String, Feed> feeds() {
    float[] values = new float[20 * WIDTH];
    Random random = new Random(3);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Map.of("x", Feed.of(new Tensor(Shape.of(20, WIDTH), values)));
  }

  private DeviceLimits limits(long memory, long allowed, long taken) {
    DeviceLimits own = DeviceLimits.of(device, 0);
    return new DeviceLimits(
        "a small device", memory, allowed, taken, own.largestArray(), own.tiles());
  }

  private TornadoExecutable compile(Graph graph, long memory, Profile profile) {
    DevicePlan plan =
        DevicePlan.of("layers", graph, limits(memory, memory, 0), Set.of(Feature.STREAM));
    return new TornadoExecutable(
        "layers",
        graph,
        plan,
        device,
        KernelSources.in(Optional.empty()),
        profile,
        DeviceArrays::addTask);
  }

  @Test
  void streamedWeightsGiveTheSameBits() {
    Graph graph = layers(1);
    try (TornadoExecutable whole = backend.compile("layers", graph)) {
      assertThat(whole.streamedBytes()).isZero();
      assertThat(whole.arenaBytes()).isEqualTo(backend.arenaBytes(graph));
      Tensor expected = whole.run(feeds()).get("y");
      long activations = whole.deviceBytes() - (long) 4 * WIDTH * (LAYERS * WIDTH - 9);
      for (long room : new long[] {256 * 1024 + 8192, 8 * 256 * 1024}) {
        Profile profile = new Profile();
        try (TornadoExecutable streamed = compile(graph, activations + room, profile)) {
          assertThat(streamed.deviceBytes()).isLessThanOrEqualTo(activations + room);
          for (int run = 0; run < 2; run++) {
            assertThat(streamed.run(feeds()).get("y").data()).isEqualTo(expected.data());
          }
          double sent =
              profile.overheads().stream()
                  .filter(e -> e.op().equals("streamed weights"))
                  .map(Entry::cost)
                  .mapToDouble(cost -> cost.bytes())
                  .sum();
          System.out.printf(
              "%.2f MB on the device, %.2f MB sent with each run%n",
              streamed.deviceBytes() * 1e-6, streamed.streamedBytes() * 1e-6);
          assertThat(sent).isEqualTo(2 * streamed.streamedBytes()).isPositive();
        }
      }
    }
  }

  @Test
  void badWeightIsNamedWhenItIsStreamedToo() {
    Graph graph = layers(Float.NaN);
    try (TornadoExecutable streamed = compile(graph, MB, new Profile())) {
      assertThat(streamed.streamedBytes()).isPositive();
      assertThatThrownBy(() -> streamed.run(feeds()))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("layer5");
    }
  }

  @Test
  void refusalsNameWhatHelps() {
    Graph graph = layers(1);
    assertThatThrownBy(() -> DevicePlan.of("layers", graph, limits(64 * MB, MB, 0), Set.of()))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("layers needs ")
        .hasMessageContaining("on a small device: weights 1.56 MB, activations 0.04 MB")
        .hasMessageContaining("TornadoVM may take 1.05 MB of it")
        .hasMessageMatching(".*RECTIFLOW_JAVA_OPTS=-Dtornado.device.memory=\\d+MB.*")
        .hasMessageContaining("--device tornado+stream");
    assertThatThrownBy(
            () -> DevicePlan.of("layers", graph, limits(64 * MB, 4 * MB, 3 * MB), Set.of()))
        .hasMessageContaining("other graphs have taken 3.15 MB")
        .hasMessageContaining("-Dtornado.device.memory=6MB");
    assertThatThrownBy(() -> DevicePlan.of("layers", graph, limits(MB, 64 * MB, 0), Set.of()))
        .hasMessageContaining("; it has 1.05 MB")
        .hasMessageContaining("--device tornado+stream")
        .message()
        .doesNotContain("tornado.device.memory");
    assertThatThrownBy(
            () -> DevicePlan.of("layers", graph, limits(MB / 8, MB / 8, 0), Set.of(Feature.STREAM)))
        .hasMessageContaining("the largest weight of each storage type alone")
        .hasMessageContaining("smaller --size")
        .message()
        .doesNotContain("+stream");
  }
}
