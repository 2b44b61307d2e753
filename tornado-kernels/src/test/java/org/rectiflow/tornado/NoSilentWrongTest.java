package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What goes wrong on a device ends the run and says what it was. */
class NoSilentWrongTest {
  private static final Shape SHAPE = Shape.of(3, 5);

  private TornadoBackend backend;
  private TornadoDevice device;

  @BeforeEach
  void open() {
    backend = Device.open();
    device = TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0);
  }

  /** A kernel that TornadoVM cannot translate: it reinterprets bits. */
  static void untranslatable(KernelContext context, IntArray p) {
    if (context.globalIdx == 0) {
      p.set(3, (int) Float.intBitsToFloat(p.get(2)));
    }
  }

  /** A kernel that a device without 16-bit floats cannot compile. */
  static void unbuildable(KernelContext context, HalfFloatArray halves, IntArray p) {
    if (context.globalIdx == 0) {
      p.set(3, (int) halves.get(0).getFloat32());
    }
  }

  /** A kernel that does nothing, as one that the driver did not start. */
  static void absent(KernelContext context, IntArray p) {
    if (context.globalIdx == 0) {
      p.set(3, 1);
    }
  }

  private static Graph affine() {
    Graph g = new Graph();
    g.output("y", g.affine(g.input("x", SHAPE.dims()), 2f, 1f));
    return g;
  }

  private void run(DeviceProgram.Methods methods) {
    KernelSources sources = KernelSources.in(Optional.empty());
    Graph graph = affine();
    DevicePlan plan = DevicePlan.of("broken", graph, DeviceLimits.of(device, 0), Set.of());
    try (TornadoExecutable executable =
        new TornadoExecutable("broken", graph, plan, device, sources, new Profile(), methods)) {
      executable.run(Map.of("x", Feed.of(Tensor.zeros(SHAPE))));
    }
  }

  private static DeviceProgram.Methods instead(BiFunction<TaskGraph, IntArray, TaskGraph> broken) {
    return (arrays, graph, id, task, row) ->
        task.kernel() == Kernel.AFFINE
            ? broken.apply(graph, row)
            : arrays.addTask(graph, id, task, row);
  }

  @Test
  void kernelThatCannotBeTranslatedIsNamed() {
    KernelContext context = new KernelContext();
    assertThatThrownBy(() ->
            run(
                instead((graph, row) ->
                    graph.task("kernel", NoSilentWrongTest::untranslatable, context, row))))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("kernel affine failed on")
        .hasMessageContaining("rectiflow-kernels");
  }

  @Test
  void kernelThatTheDriverRefusesIsNamedWithItsSource() throws IOException {
    Assumptions.assumeTrue(
        device.getDeviceType() == TornadoDeviceType.CPU, "only CPUs lack 16-bit floats for sure");
    KernelContext context = new KernelContext();
    HalfFloatArray halves = new HalfFloatArray(4);
    DeviceException failure =
        assertThrows(
            DeviceException.class,
            () ->
                run(
                    instead((graph, row) ->
                        graph
                            .transferToDevice(DataTransferMode.EVERY_EXECUTION, halves)
                            .task(
                                "kernel", NoSilentWrongTest::unbuildable, context, halves, row))));
    System.out.println(failure.getMessage());
    assertThat(failure).hasMessageContaining("kernel affine failed on");
    Matcher source =
        Pattern.compile("Its generated source is (\\S+)").matcher(failure.getMessage());
    assertThat(source.find()).isTrue();
    assertThat(Files.readString(Path.of(source.group(1)))).contains("__kernel void unbuildable");
  }

  @Test
  void kernelThatDoesNotRunIsNamed() {
    KernelContext context = new KernelContext();
    assertThatThrownBy(() ->
            run(
                instead(
                    (graph, row) -> graph.task("kernel", NoSilentWrongTest::absent, context, row))))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("kernel affine")
        .hasMessageContaining("did not run on");
  }

  @Test
  void opThatMakesNanIsNamed() {
    Graph g = new Graph();
    Shape shape = Shape.of(2, 3);
    try (Graph.Scope _ = g.scope("block7")) {
      Tensor weight = new Tensor(shape, new float[] {1, 2, Float.NaN, 4, 5, 6});
      g.output(
          "y",
          g.affine(g.linear(g.input("x", 4, 3), g.parameter(Weight.of("bad", weight))), 1f, 1f));
    }
    try (TornadoExecutable executable = backend.compile("nan", g)) {
      assertThatThrownBy(() -> executable.run(Map.of("x", Feed.of(Tensor.zeros(Shape.of(4, 3))))))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("bad");
    }
  }

  @Test
  void idsBeyondTheTableAreRefused() {
    Graph g = new Graph();
    Tensor table = Tensor.zeros(Shape.of(3, 4));
    g.output("y", g.gather(g.parameter(Weight.of("table", table)), g.intInput("ids", 2)));
    try (TornadoExecutable executable = backend.compile("ids", g)) {
      assertThatThrownBy(
              () -> executable.run(Map.of("ids", Feed.of(IntTensor.of(new int[] {0, 3}, 2)))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("id 3 is outside the table's 3 rows");
    }
  }

  @Test
  void graphThatDoesNotFitIsRefusedWithTheFlag() {
    Graph g = new Graph();
    int n = 20_000;
    // 6.4 GB of activations, which are never taken.
    g.output("y", g.linear(g.input("x", n, 4), g.input("w", n, 4)));
    g.output("z", g.affine(g.linear(g.input("x2", n, 4), g.input("w2", n, 4)), 1f, 1f));
    g.output("u", g.linear(g.input("x3", n, 4), g.input("w3", n, 4)));
    assertThatThrownBy(() -> backend.compile("large", g))
        .isInstanceOf(DeviceException.class)
        .hasMessageMatching("(?s).*(tornado.device.memory=\\d+GB|--size).*");
  }

  @Test
  void sizesOfTheMemoryFlag() {
    assertThat(DeviceMemory.parse("4GB")).isEqualTo(4L << 30);
    assertThat(DeviceMemory.parse("512MB")).isEqualTo(512L << 20);
    assertThatThrownBy(() -> DeviceMemory.parse("much"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected a size such as 512MB");
  }

  @Test
  void devicesAreListedAndChecked() {
    TornadoBackendProvider provider = new TornadoBackendProvider();
    assertThat(provider.devices()).isNotEmpty();
    assertThat(provider.devices().getFirst().name()).isEqualTo("tornado:0:0");
    BackendProvider.Options options = new BackendProvider.Options(1);
    assertThatThrownBy(() -> provider.open("tornado:0:99", options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no device tornado:0:99");
    assertThatThrownBy(() -> provider.open("tornado+nonsense", options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("+nonsense is nothing a tornado device can do; it can do +stream");
    try (Backend streaming = Backends.open("tornado:0:0+stream", options)) {
      assertThat(streaming.name()).isEqualTo("tornado:0:0+stream");
    }
    assertThatThrownBy(() -> provider.open("tornado:x", options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tornado:BACKEND:DEVICE");
  }
}
