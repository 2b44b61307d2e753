package org.rectiflow.engine.cpu.kernels;

import java.util.Arrays;
import org.rectiflow.safetensors.DType;

/**
 * One convolution to compute: {@code out = activation(conv(x, w) + bias) + residual}.
 *
 * @param shape its sizes
 * @param x float32 [N, I, H, W], contiguous, at a byte offset
 * @param w weights [O, I, kh, kw] in F32, F16, BF16, F8_E4M3 or F8_E5M2
 * @param bias O elements, or null
 * @param residual float32 with the shape of the result, or null; may be the memory of {@code out}
 * @param out float32 [N, O, outHeight, outWidth], not overlapping {@code x}
 */
public record Convolution(
    Conv2d.Shape shape,
    StoredVector x,
    StoredVector w,
    StoredVector bias,
    Activation activation,
    StoredVector residual,
    StoredVector out) {

  /** Checks the types. */
  public Convolution {
    Widen.check(w.dtype());
    if (bias != null) {
      Widen.check(bias.dtype());
    }
    if (x.dtype() != DType.F32
        || out.dtype() != DType.F32
        || (residual != null && residual.dtype() != DType.F32)) {
      throw new IllegalArgumentException("convolution needs F32 activations");
    }
  }

  /** {@code wanted} biases of the channels from {@code o0} on as far as there are so many. */
  float[] biases(int o0, int wanted, Scratch scratch) {
    float[] biases = scratch.floats(5, wanted);
    int count = Math.min(wanted, shape.outChannels() - o0);
    if (bias == null) {
      Arrays.fill(biases, 0, count, 0f);
    } else {
      long from = bias.byteOffset() + (long) o0 * (bias.dtype().bits() / 8);
      Widen.run(bias.segment(), from, bias.dtype(), count, biases, 0, scratch);
    }
    return biases;
  }
}
