package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.reference.ReferenceBackend;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What only NVIDIA's devices have, as far as it can be seen without one: everything around the
 * library's product, with a kernel in its place that keeps to cuBLAS's definition; grids that never
 * change; and the refusal elsewhere.
 */
class LibraryProductTest {
  private static final int M = 40;
  private static final int K = 24;
  private static final int N = 19;

  private TornadoDevice device;

  @BeforeEach
  void open() {
    Device.open().close();
    device = TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0);
  }

  /** Column-major C = A^T B, as cuBLAS defines it for these operations, C [m, n]. */
  public static void sgemm(
      KernelContext context,
      Integer m,
      Integer n,
      Integer k,
      FloatArray a,
      Integer lda,
      FloatArray b,
      Integer ldb,
      FloatArray c,
      Integer ldc) {
    int i = context.globalIdx % m;
    int j = context.globalIdx / m;
    if (j < n) {
      float sum = 0f;
      for (int l = 0; l < k; l++) {
        sum += a.get(l + i * lda) * b.get(l + j * ldb);
      }
      c.set(i + j * ldc, sum);
    }
  }

  /** A library that was called and did nothing. */
  public static void nothing(KernelContext context, FloatArray spare) {
    if (context.globalIdx == 0) {
      spare.set(0, spare.get(0));
    }
  }

  private static Graph graph() {
    Graph g = new Graph();
    Value x = g.input("x", 2, M / 2, K);
    Value w = g.parameter(Weight.of("w", noise(1, N, K)));
    Value bias = g.parameter(Weight.of("bias", noise(2, N)));
    Value y = g.silu(g.linear(x, w, bias));
    g.output("wide", g.linear(y, g.parameter(Weight.of("v", noise(3, 50, N)))));
    g.output("gated", g.gatedAdd(g.input("z", 2, M / 2, N), g.input("gate", 2, N), y));
    g.output("mem", g.linear(y, g.input("m", 21, N)));
    return g;
  }

  private static Tensor noise(int seed, int... dims) {
    Shape shape = Shape.of(dims);
    java.util.Random random = new java.util.Random(seed);
    float[] values = new float[Math.toIntExact(shape.count())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new Tensor(shape, values);
  }

  private TornadoExecutable compile(
      Graph graph, Set<Feature> features, DeviceProgram.Methods methods) {
    DevicePlan plan = DevicePlan.of("library", graph, DeviceLimits.of(device, 0), features);
    KernelSources sources = KernelSources.in(Optional.empty());
    return new TornadoExecutable("library", graph, plan, device, sources, new Profile(), methods);
  }

  private static TaskGraph standIn(
      DeviceArrays arrays, TaskGraph graph, String id, Launch.Task task, IntArray row) {
    if (task.kernel() != Kernel.LIBRARY_PRODUCT) {
      return arrays.addTask(graph, id, task, row);
    }
    Object[] p =
        LibraryProduct.describe(
                task.more().get(0),
                task.more().get(1),
                task.more().get(2),
                arrays.more(task, 3),
                arrays.more(task, 4),
                arrays.more(task, 5))
            .getParameters();
    assertThat(p[0]).as("transa").isEqualTo(1);
    assertThat(p[1]).as("transb").isEqualTo(0);
    assertThat(p[5]).as("alpha").isEqualTo(1f);
    assertThat(p[10]).as("beta").isEqualTo(0f);
    return graph.task(
        id,
        LibraryProductTest::sgemm,
        new KernelContext(),
        (Integer) p[2],
        (Integer) p[3],
        (Integer) p[4],
        (FloatArray) p[6],
        (Integer) p[7],
        (FloatArray) p[8],
        (Integer) p[9],
        (FloatArray) p[11],
        (Integer) p[12]);
  }

  private static void check(TornadoExecutable executable, Graph graph) {
    Map<String, Feed> feeds = Device.feeds(graph, 1);
    try (Backend reference = new ReferenceBackend();
        Executable expected = reference.compile("library", graph)) {
      Map<String, Tensor> want = expected.run(feeds);
      for (int run = 0; run < 2; run++) {
        Map<String, Tensor> got = executable.run(feeds);
        want.forEach((name, tensor) -> {
          double difference = Device.difference(got.get(name), tensor);
          System.out.printf("%-8s largest relative difference %.2e%n", name, difference);
          assertThat(difference).isLessThan(2e-6);
        });
      }
    }
  }

  @Test
  void everythingAroundTheLibrarysProduct() {
    Graph graph = graph();
    try (TornadoExecutable executable =
        compile(graph, Set.of(Feature.CUBLAS), LibraryProductTest::standIn)) {
      check(executable, graph);
    }
  }

  @Test
  void libraryThatWritesNothingIsNoticed() {
    Graph graph = graph();
    try (TornadoExecutable executable =
        compile(
            graph,
            Set.of(Feature.CUBLAS),
            (arrays, g, id, task, row) ->
                task.kernel() == Kernel.LIBRARY_PRODUCT
                    ? g.task(
                        id, LibraryProductTest::nothing, new KernelContext(), arrays.more(task, 3))
                    : arrays.addTask(g, id, task, row))) {
      assertThatThrownBy(() -> executable.run(Device.feeds(graph, 1)))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("staged_result")
          .hasMessageContaining("did not run");
    }
  }

  @Test
  void gridsThatNeverChangeGiveTheSame() {
    Graph graph = graph();
    try (TornadoExecutable executable =
        compile(graph, Set.of(Feature.CUDA_GRAPHS), DeviceArrays::addTask)) {
      check(executable, graph);
    }
  }

  @Test
  void describedAsCublasExpects() {
    FloatArray x = new FloatArray(1);
    FloatArray w = new FloatArray(1);
    FloatArray y = new FloatArray(1);
    LibraryTaskDescriptor task = LibraryProduct.describe(2, 3, 4, x, w, y);
    assertThat(task.getLibraryName()).isEqualTo("nvidia/cublas");
    assertThat(task.getFunctionName()).isEqualTo("cublasSgemm");
    assertThat(task.getParameters()).containsExactly(1, 0, 3, 2, 4, 1f, w, 4, x, 4, 0f, y, 3);
    assertThat(task.getAccess()).hasSize(13);
  }

  @Test
  void otherBackendsAreRefused() {
    Assumptions.assumeTrue(
        device.getTornadoVMBackend() == TornadoVMBackendType.OPENCL, "this is no OpenCL device");
    BackendProvider.Options options = new BackendProvider.Options(1);
    assertThatThrownBy(() -> new TornadoBackendProvider().open("tornado:0:0+cublas", options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("+cublas needs a device of TornadoVM's CUDA backend; this one is");
    assertThatThrownBy(() -> new TornadoBackendProvider().open("tornado+cuda-graphs", options))
        .hasMessageContaining("+cuda-graphs needs a device of TornadoVM's CUDA or PTX backend");
  }
}
