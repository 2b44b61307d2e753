package org.rectiflow.benchmarks.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Function;
import org.rectiflow.benchmarks.kernels.AttentionProblem;
import org.rectiflow.benchmarks.kernels.ConvProblem;
import org.rectiflow.benchmarks.kernels.MatMulProblem;

/** PyTorch's own kernels, without Python: libtorch through the Deep Java Library. */
final class LibTorch implements Peer {
  private final String name;
  private final NDManager manager;
  private final Function<NDManager, NDArray> kernel;
  private final Function<NDArray, NDArray> layout;
  private NDArray last;

  /** What libtorch says of itself. */
  static String describe() {
    return "libtorch " + Engine.getEngine("PyTorch").getVersion();
  }

  static void setThreads(int threads) {
    Engine.getEngine("PyTorch"); // loads the library
    JniUtils.setNumThreads(threads);
  }

  private LibTorch(
      boolean bf16,
      NDManager manager,
      Function<NDManager, NDArray> kernel,
      Function<NDArray, NDArray> layout) {
    this.name = "libtorch " + (bf16 ? "BF16" : "F32");
    this.manager = manager;
    this.kernel = kernel;
    this.layout = layout;
  }

  private static NDManager newManager() {
    return Engine.getEngine("PyTorch").newBaseManager();
  }

  private static PtNDArray array(NDManager m, boolean bf16, float[] values, long... dims) {
    NDArray array = m.create(values, new Shape(dims));
    return (PtNDArray) (bf16 ? array.toType(DataType.BFLOAT16, true) : array);
  }

  /** {@code torch.nn.functional.linear}. */
  static LibTorch matMul(MatMulProblem p, boolean bf16) {
    NDManager m = newManager();
    PtNDArray x = array(m, bf16, p.x(), p.m(), p.k());
    PtNDArray w = array(m, bf16, p.weight(), p.n(), p.k());
    PtNDArray b = array(m, bf16, p.bias(), p.n());
    return new LibTorch(bf16, m, _ -> JniUtils.linear(x, w, b), y -> y);
  }

  /** {@code torch.nn.functional.conv2d}. Upsampling is done before the clock starts. */
  static LibTorch convolution(ConvProblem p, boolean bf16) {
    NDManager m = newManager();
    PtNDArray picture = array(m, bf16, p.x(), 1, p.in(), p.height(), p.width());
    boolean uneven = p.padding().top() != p.padding().bottom();
    PtNDArray x =
        (PtNDArray)
            (p.upsample()
                ? picture.repeat(2, 2).repeat(3, 2)
                : uneven ? padded(m, bf16, p) : picture);
    PtNDArray w = array(m, bf16, p.weight(), p.out(), p.in(), p.kernel(), p.kernel());
    PtNDArray b = array(m, bf16, p.bias(), p.out());
    Shape stride = new Shape(p.stride(), p.stride());
    int pixels = uneven ? 0 : p.padding().top();
    Shape padding = new Shape(pixels, pixels);
    Shape dilation = new Shape(1, 1);
    return new LibTorch(
        bf16, m, _ -> JniUtils.convolution(x, w, b, stride, padding, dilation, 1), y -> y);
  }

  /** The picture with a row of zeros below and a column to the right. */
  private static NDArray padded(NDManager m, boolean bf16, ConvProblem p) {
    int width = p.width() + 1;
    int height = p.height() + 1;
    float[] picture = new float[p.in() * height * width];
    for (int row = 0; row < p.in() * p.height(); row++) {
      int to = (row / p.height() * height + row % p.height()) * width;
      System.arraycopy(p.x(), row * p.width(), picture, to, p.width());
    }
    return array(m, bf16, picture, 1, p.in(), height, width);
  }

  /**
   * {@code torch.nn.functional.scaled_dot_product_attention} of all tokens at once, heads before
   * tokens in memory: the layout it is fastest with.
   */
  static LibTorch attention(AttentionProblem p, boolean bf16) {
    NDManager m = newManager();
    NDArray q = heads(m, bf16, p, p.q());
    NDArray k = heads(m, bf16, p, p.k());
    NDArray v = heads(m, bf16, p, p.v());
    PtSymbolBlock attention = attentionModule((PtNDManager) m);
    return new LibTorch(
        bf16,
        m,
        sub ->
            attention
                .forward(new ai.djl.training.ParameterStore(sub, false), new NDList(q, k, v), false)
                .singletonOrThrow(),
        y -> y.transpose(0, 2, 1, 3).get("0, :" + p.imageTokens()));
  }

  private static NDArray heads(NDManager m, boolean bf16, AttentionProblem p, float[] values) {
    return array(m, bf16, values, 1, p.tokens(), p.heads(), p.headSize())
        .transpose(0, 2, 1, 3)
        .duplicate();
  }

  private static PtSymbolBlock attentionModule(PtNDManager manager) {
    try {
      return JniUtils.loadModule(
          manager, new ByteArrayInputStream(AttentionScript.bytes()), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double seconds() {
    if (last != null) {
      last.close();
    }
    long start = System.nanoTime();
    last = kernel.apply(manager);
    return (System.nanoTime() - start) * 1e-9;
  }

  @Override
  public float[] result() {
    return layout.apply(last).toType(DataType.FLOAT32, true).toFloatArray();
  }

  @Override
  public void close() {
    manager.close();
  }
}
