package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.ElementType;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.reference.ReferenceBackend;

/** The device that tests run on, and the comparison with the reference backend. */
final class Device {
  private Device() {}

  /** TornadoVM's first device; a test without one is skipped and says so. */
  static TornadoBackend open() {
    TornadoBackendProvider provider = new TornadoBackendProvider();
    Assumptions.assumeTrue(
        provider.missing().isEmpty(), () -> "no device: " + provider.missing().orElseThrow());
    return (TornadoBackend) provider.open("tornado", new BackendProvider.Options(1));
  }

  /** Feeds of seeded noise; ids are 0, 1, 2, ... below {@code ids}. */
  static Map<String, Feed> feeds(Graph graph, int ids) {
    Map<String, Feed> feeds = new HashMap<>();
    Random random = new Random(11);
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Input(String name, Shape shape, ElementType type)) {
        int n = Math.toIntExact(shape.count());
        if (type == ElementType.F32) {
          float[] values = new float[n];
          for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
          }
          feeds.put(name, Feed.of(new Tensor(shape, values)));
        } else {
          int[] values = new int[n];
          for (int i = 0; i < n; i++) {
            values[i] = i * 7 % ids;
          }
          feeds.put(name, Feed.of(new IntTensor(shape, values)));
        }
      }
    }
    return feeds;
  }

  /** Runs a graph twice on the device and once by definition, and compares. */
  static void compare(TornadoBackend device, String what, Graph graph, double tolerance) {
    Map<String, Feed> feeds = feeds(graph, 5);
    Map<String, Tensor> expected;
    try (Backend reference = new ReferenceBackend();
        Executable executable = reference.compile(what, graph)) {
      expected = executable.run(feeds);
    }
    try (TornadoExecutable executable = device.compile(what, graph)) {
      for (int run = 0; run < 2; run++) {
        Map<String, Tensor> actual = executable.run(feeds);
        for (String name : List.copyOf(expected.keySet())) {
          check(what + "." + name, actual.get(name), expected.get(name), tolerance);
        }
      }
    }
  }

  /** Largest difference in relation to the largest value. */
  static double difference(Tensor actual, Tensor expected) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    double worst = 0;
    double size = 1e-30;
    for (int i = 0; i < expected.data().length; i++) {
      double d = Math.abs((double) actual.data()[i] - expected.data()[i]);
      worst = Double.isNaN(d) ? Double.POSITIVE_INFINITY : Math.max(worst, d);
      size = Math.max(size, Math.abs(expected.data()[i]));
    }
    return worst / size;
  }

  private static void check(String what, Tensor actual, Tensor expected, double tolerance) {
    double difference = difference(actual, expected);
    System.out.printf("%-32s largest relative difference %.2e%n", what, difference);
    assertThat(difference).as(what).isLessThanOrEqualTo(tolerance);
  }
}
