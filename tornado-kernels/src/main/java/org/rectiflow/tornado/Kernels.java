package org.rectiflow.tornado;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.ejml.data.FMatrixRMaj;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import uk.ac.manchester.tornado.api.types.matrix.Matrix2DFloat;

/**
 * The kernels by themselves, for programs that have matrices and no model: the very kernels that
 * run SD3, on a device of TornadoVM. A kernel is compiled at the first call with its shapes and
 * kept until {@link #close()}. Not thread-safe.
 *
 * <p>{@link Matrices} converts other types of EJML and TornadoVM.
 */
public final class Kernels implements AutoCloseable {
  private static final String RESULT = "y";

  private record Call(String kernel, List<Object> key) {}

  private final TornadoBackend backend;
  private final Map<Call, TornadoExecutable> compiled = new HashMap<>();

  private Kernels(TornadoBackend backend) {
    this.backend = backend;
  }

  /**
   * Kernels on a device.
   *
   * @param device {@code tornado}, or {@code tornado:0:1} as {@code rectiflow devices} lists them
   * @throws IllegalArgumentException if there is none of that name, saying what there is
   */
  public static Kernels open(String device) {
    return new Kernels(
        (TornadoBackend) new TornadoBackendProvider().open(device, new BackendProvider.Options(1)));
  }

  /**
   * The product of two matrices.
   *
   * @param a [M, K]
   * @param b [K, N]
   * @return [M, N]
   * @throws IllegalArgumentException if the shapes do not fit
   */
  public Tensor multiply(Tensor a, Tensor b) {
    requireMatrix("a", a);
    requireMatrix("b", b);
    if (a.shape().dim(1) != b.shape().dim(0)) {
      throw new IllegalArgumentException(
          "a %s cannot be multiplied by b %s: a's columns must be as many as b's rows"
              .formatted(a.shape(), b.shape()));
    }
    return run(
        "multiply",
        List.of(a.shape(), b.shape()),
        g -> g.output(RESULT, g.linear(input(g, "a", a), g.permute(input(g, "b", b), 1, 0))),
        Map.of("a", a, "b", b));
  }

  /** As {@link #multiply(Tensor, Tensor)}, for EJML. */
  public FMatrixRMaj multiply(FMatrixRMaj a, FMatrixRMaj b) {
    return Matrices.ejml(multiply(Matrices.tensor(a), Matrices.tensor(b)));
  }

  /** As {@link #multiply(Tensor, Tensor)}, for TornadoVM's matrices. */
  public Matrix2DFloat multiply(Matrix2DFloat a, Matrix2DFloat b) {
    return Matrices.matrix2D(multiply(Matrices.tensor(a), Matrices.tensor(b)));
  }

  /**
   * A linear layer without bias, {@code x W^T}. The weight is sent to the device at its first call
   * with so many rows and stays there, in its stored type.
   *
   * @param x [M, K]
   * @param weight [N, K], F32, F16 or BF16
   * @return [M, N]
   */
  public Tensor linear(Tensor x, Weight weight) {
    requireMatrix("x", x);
    return run(
        "linear",
        List.of(x.shape(), weight),
        g -> g.output(RESULT, g.linear(input(g, "x", x), g.parameter(weight))),
        Map.of("x", x));
  }

  /**
   * Softmax attention of several heads, {@code softmax(q k^T / sqrt(D)) v}, whose matrix of scores
   * is never stored.
   *
   * @param heads number of heads H
   * @param q [T, H D]
   * @param k [T, H D]
   * @param v [T, H D]
   * @return [T, H D]
   */
  public Tensor attention(int heads, Tensor q, Tensor k, Tensor v) {
    requireMatrix("q", q);
    if (!q.shape().equals(k.shape()) || !q.shape().equals(v.shape())) {
      throw new IllegalArgumentException(
          "q %s, k %s and v %s must have one shape".formatted(q.shape(), k.shape(), v.shape()));
    }
    int width = q.shape().dim(1);
    if (heads < 1 || width % heads != 0) {
      throw new IllegalArgumentException(
          "%d columns cannot be split among %d heads".formatted(width, heads));
    }
    float scale = (float) (1 / Math.sqrt((double) width / heads));
    int tokens = q.shape().dim(0);
    return run(
        "attention",
        List.of(q.shape(), heads),
        g -> {
          Qkv qkv =
              new Qkv(
                  g.reshape(input(g, "q", q), 1, tokens, width),
                  g.reshape(input(g, "k", k), 1, tokens, width),
                  g.reshape(input(g, "v", v), 1, tokens, width));
          Value y = g.selfAttention(heads, qkv, scale, false, null);
          g.output(RESULT, g.reshape(y, tokens, width));
        },
        Map.of("q", q, "k", k, "v", v));
  }

  /** As {@link #attention(int, Tensor, Tensor, Tensor)}, for EJML. */
  public FMatrixRMaj attention(int heads, FMatrixRMaj q, FMatrixRMaj k, FMatrixRMaj v) {
    return Matrices.ejml(
        attention(heads, Matrices.tensor(q), Matrices.tensor(k), Matrices.tensor(v)));
  }

  /**
   * RMS norm of every row, {@code x / sqrt(mean(x^2) + eps) * weight}.
   *
   * @param x [M, C]
   * @param weight [C]
   */
  public Tensor rmsNorm(Tensor x, Tensor weight, float eps) {
    requireMatrix("x", x);
    Weight parameter = Weight.of("weight", weight);
    return run(
        "rmsNorm",
        List.of(x.shape(), weight, eps),
        g -> g.output(RESULT, g.rmsNorm(input(g, "x", x), g.parameter(parameter), eps)),
        Map.of("x", x));
  }

  /** As {@link #rmsNorm(Tensor, Tensor, float)}, for EJML. */
  public FMatrixRMaj rmsNorm(FMatrixRMaj x, float[] weight, float eps) {
    return Matrices.ejml(rmsNorm(Matrices.tensor(x), Tensor.of(weight, weight.length), eps));
  }

  /** Times on the device, and those of compilation and copies. */
  public Profile profile() {
    return backend.profile();
  }

  private static Value input(Graph g, String name, Tensor tensor) {
    return g.input(name, tensor.shape().dims());
  }

  private Tensor run(
      String kernel, List<Object> key, Consumer<Graph> record, Map<String, Tensor> inputs) {
    TornadoExecutable executable =
        compiled.computeIfAbsent(
            new Call(kernel, key),
            _ -> {
              Graph g = new Graph();
              record.accept(g);
              return backend.compile(kernel, g);
            });
    Map<String, Feed> feeds = new HashMap<>();
    inputs.forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    return executable.run(feeds).get(RESULT);
  }

  private static void requireMatrix(String name, Tensor tensor) {
    Shape shape = tensor.shape();
    if (shape.rank() != 2 || shape.count() == 0) {
      throw new IllegalArgumentException(
          "%s has shape %s, expected a matrix with elements".formatted(name, shape));
    }
  }

  @Override
  public void close() {
    compiled.values().forEach(TornadoExecutable::close);
    backend.close();
  }
}
