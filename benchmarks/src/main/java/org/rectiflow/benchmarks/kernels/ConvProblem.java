package org.rectiflow.benchmarks.kernels;

import java.util.Map;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.safetensors.DType;

/**
 * A convolution with bias of one picture x [1, in, height, width] by w [out, in, kernel, kernel].
 *
 * @param stride 1, or 2 with padding below and to the right only, as in the encoder
 * @param upsample whether every pixel is doubled in both directions first
 */
public record ConvProblem(
    int in,
    int out,
    int height,
    int width,
    int kernel,
    int stride,
    boolean upsample,
    float[] x,
    float[] weight,
    float[] bias)
    implements Problem {

  /** A convolution of 3x3 or 1x1 pixels that keeps the picture's size. */
  public static ConvProblem same(int in, int out, int height, int width, int kernel) {
    return of(in, out, height, width, kernel, 1, false);
  }

  /** A 3x3 convolution of a picture of twice the size given. */
  public static ConvProblem upsampled(int channels, int height, int width) {
    return of(channels, channels, height, width, 3, 1, true);
  }

  /** The encoder's 3x3 convolution to half the size. */
  public static ConvProblem halving(int channels, int height, int width) {
    return of(channels, channels, height, width, 3, 2, false);
  }

  private static ConvProblem of(
      int in, int out, int height, int width, int kernel, int stride, boolean upsample) {
    float limit = (float) Math.sqrt(3.0 / (in * kernel * kernel));
    return new ConvProblem(
        in,
        out,
        height,
        width,
        kernel,
        stride,
        upsample,
        RandomValues.uniform(1, 1.7f, in, height, width),
        RandomValues.uniform(2, limit, out, in, kernel, kernel),
        RandomValues.uniform(3, 1, out));
  }

  /** Zero padding at the sides. */
  public Padding padding() {
    return stride == 2 ? new Padding(0, 1, 0, 1) : Padding.all(kernel / 2);
  }

  @Override
  public String name() {
    String size = "%d -> %d, %dx%d at %dx%d".formatted(in, out, kernel, kernel, height, width);
    return size + (upsample ? " upsampled" : "") + (stride == 2 ? " stride 2" : "");
  }

  @Override
  public Graph graph(DType weights) {
    Graph g = new Graph();
    Value w = g.parameter(RandomValues.weight("w", weights, weight, out, in, kernel, kernel));
    Value b = g.parameter(RandomValues.weight("b", weights, bias, out));
    Value input = g.input("x", 1, in, height, width);
    Value picture = upsample ? g.upsampleNearest2x(input) : input;
    g.output("y", g.conv2d(picture, w, b, stride, padding()));
    return g;
  }

  @Override
  public Map<String, Feed> feeds() {
    return Map.of("x", Feed.of(Tensor.of(x, 1, in, height, width)));
  }
}
