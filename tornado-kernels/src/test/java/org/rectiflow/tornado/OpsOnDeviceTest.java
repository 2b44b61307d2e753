package org.rectiflow.tornado;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import org.rectiflow.safetensors.DType;

/**
 * Every op of the engine on the device against its definition. Few graphs of many ops, since each
 * graph compiles its kernels anew.
 */
class OpsOnDeviceTest {
  private static TornadoBackend device;

  @BeforeAll
  static void open() {
    device = Device.open();
  }

  @AfterAll
  static void close() {
    if (device != null) {
      device.close();
    }
  }

  private final Random random = new Random(3);

  private Value weight(Graph g, DType dtype, int... dims) {
    Shape shape = Shape.of(dims);
    int n = Math.toIntExact(shape.count());
    MemorySegment data = Arena.ofAuto().allocate((long) n * dtype.bits() / 8);
    for (int i = 0; i < n; i++) {
      float value = (float) random.nextGaussian();
      switch (dtype) {
        case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        case F16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
        case BF16 ->
            data.setAtIndex(
                ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
        case F8_E4M3, F8_E5M2 ->
            data.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(0x70) | i % 2 << 7));
        default -> throw new IllegalArgumentException(dtype.toString());
      }
    }
    return g.parameter(new Weight("w", dtype, shape, data));
  }

  private Value weight(Graph g, int... dims) {
    return weight(g, DType.F32, dims);
  }

  @Test
  void matrixProductsOfEveryStorage() {
    Graph g = new Graph();
    for (DType dtype : List.of(DType.F32, DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2)) {
      Value x = g.input("x" + dtype, 2, 37, 70);
      Value few = g.input("few" + dtype, 3, 130);
      Value bias = weight(g, DType.BF16, 69);
      g.output("linear" + dtype, g.linear(x, weight(g, dtype, 69, 70), bias));
      g.output("few" + dtype, g.linear(few, weight(g, dtype, 33, 130)));
    }
    Value x = g.input("x", 2, 20, 24);
    g.output("activation", g.linear(x, g.affine(g.input("w", 9, 24), 2f, 1f)));
    Device.compare(device, "products", g, 2e-6);
  }

  @Test
  void finishedMatrixProducts() {
    Graph g = new Graph();
    Value x = g.input("x", 2, 20, 40);
    Value y = g.input("y", 2, 20, 30);
    Value gate = g.input("gate", 2, 30);
    for (Activation function : Activation.values()) {
      if (function == Activation.EXP) { // of a product it would magnify the product's errors
        g.output(function.name(), g.activate(function, x));
        continue;
      }
      Value product = g.linear(x, weight(g, 30, 40), weight(g, 30));
      g.output(function.name(), g.activate(function, product));
    }
    g.output("gated", g.gatedAdd(y, gate, g.linear(x, weight(g, 30, 40))));
    g.output("add", g.add(y, g.linear(x, weight(g, 30, 40), weight(g, 30))));
    g.output("mul", g.mul(g.silu(g.linear(x, weight(g, 30, 40))), y));
    g.output("both", g.linear(g.linear(x, weight(g, 30, 40)), weight(g, 7, 30)));
    Device.compare(device, "finished", g, 2e-6);
  }

  @Test
  void attentions() {
    Graph g = new Graph();
    Value q0 = g.input("q0", 2, 70, 96);
    Value k0 = g.input("k0", 2, 70, 96);
    Value q1 = g.input("q1", 2, 77, 96);
    Value k1 = g.input("k1", 2, 77, 96);
    List<Value> joint = g.jointAttention(3, List.of(new Qkv(q0, k0, q0), new Qkv(q1, k1, k1)));
    g.output("image", joint.get(0));
    g.output("text", joint.get(1));
    g.output("causal", g.selfAttention(4, new Qkv(q0, k0, k0), 0.3f, true, null));
    Value bias = g.input("bias", 6, 77, 77);
    g.output("biased", g.selfAttention(6, new Qkv(q1, k1, q1), 1f, false, bias));
    g.output("wide", g.selfAttention(1, new Qkv(q1, k1, q1), 0.1f, false, null));
    Device.compare(device, "attention", g, 3e-6);
  }

  @Test
  void convolutions() {
    Graph g = new Graph();
    Value x = g.input("x", 2, 5, 11, 9);
    Padding one = Padding.all(1);
    g.output("3x3", g.conv2d(x, weight(g, 7, 5, 3, 3), weight(g, 7), 1, one));
    g.output("1x1", g.conv2d(x, weight(g, DType.F16, 7, 5, 1, 1), weight(g, 7), 1, Padding.all(0)));
    Value down = weight(g, DType.BF16, 6, 5, 3, 3);
    g.output("down", g.conv2d(x, down, weight(g, 6), 2, new Padding(0, 1, 0, 1)));
    Value up = g.upsampleNearest2x(x);
    g.output("up", g.conv2d(up, weight(g, 4, 5, 3, 3), weight(g, 4), 1, one));
    g.output("doubled", g.upsampleNearest2x(x));
    Value same = g.conv2d(x, weight(g, 5, 5, 3, 3), weight(g, 5), 1, one);
    g.output("residual", g.add(x, same));
    g.output("patches", g.conv2d(x, weight(g, 8, 5, 2, 2), weight(g, 8), 2, Padding.all(0)));
    Device.compare(device, "convolutions", g, 2e-6);
  }

  @Test
  void norms() {
    Graph g = new Graph();
    Value x = g.input("x", 2, 9, 50);
    Value shift = g.input("shift", 2, 50);
    Value scale = g.input("scale", 2, 50);
    g.output("layer", g.layerNorm(x, 1e-6f));
    g.output("affine", g.layerNorm(x, weight(g, 50), weight(g, 50), 1e-5f));
    g.output("modulated", g.modulate(g.layerNorm(x, 1e-6f), shift, scale));
    g.output("modulate", g.modulate(x, shift, scale));
    g.output("gated", g.gatedAdd(x, shift, g.affine(x, 0.5f, -1f)));
    g.output("rms", g.rmsNorm(x, weight(g, 50), 1e-6f));
    g.output("rmsLong", g.rmsNorm(g.input("long", 3, 700), weight(g, 700), 1e-6f));
    Value pixels = g.input("pixels", 2, 12, 10, 30);
    Value grouped = g.groupNorm(pixels, weight(g, 12), weight(g, 12), 3, 1e-6f);
    g.output("group", g.groupNorm(pixels, weight(g, 12), weight(g, 12), 4, 1e-6f));
    g.output("groupSilu", g.silu(grouped));
    Device.compare(device, "norms", g, 3e-6);
  }

  @Test
  void everythingElse() {
    Graph g = new Graph();
    Value x = g.input("x", 2, 6, 10);
    Value ids = g.intInput("ids", 2, 4);
    g.output("gather", g.gather(weight(g, 5, 12), ids));
    g.output("gatherHalf", g.gather(weight(g, DType.F16, 5, 12), ids));
    g.output("gatherBrain", g.gather(weight(g, DType.BF16, 5, 12), ids));
    g.output("rows", g.gather(g.reshape(x, 12, 10), ids));
    Value buckets = g.constant(IntTensor.of(new int[] {4, 0, 3}, 3));
    g.output("buckets", g.gather(weight(g, 5, 2), buckets));
    Value times = g.affine(g.input("t", 3), 300f, 400f);
    g.output("timestep", g.timestepFeatures(times, 32));
    g.output("broadcast", g.add(x, weight(g, 1, 6, 10)));
    g.output("mul", g.mul(x, weight(g, 10)));
    g.output("silu", g.silu(x));
    g.output("permute", g.permute(g.input("four", 2, 3, 4, 5), 0, 3, 1, 2));
    g.output("slice", g.slice(x, 2, 3, 5));
    g.output("head", g.slice(x, 0, 1, 1));
    g.output("crop", g.slice(weight(g, 4, 9, 10), 1, 2, 6));
    Value zeros = g.constant(Tensor.zeros(Shape.of(2, 3, 10)));
    g.output("concat", g.concat(1, List.of(x, zeros, x)));
    g.output("wide", g.concat(2, List.of(x, g.affine(x, 2f, 0f))));
    g.output("clamped", g.clamp(x, -0.5f, 0.25f));
    g.output("summed", g.sum(x, 1));
    g.output("repeated", g.repeat(x, 1, 3));
    g.output("reshaped", g.reshape(weight(g, 4, 6), 3, 8));
    Device.compare(device, "others", g, 2e-5); // sines of angles up to 1000
  }
}
