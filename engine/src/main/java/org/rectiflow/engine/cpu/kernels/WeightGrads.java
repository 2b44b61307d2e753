package org.rectiflow.engine.cpu.kernels;

import java.util.List;

/** Derivatives by the weights and biases of linear layers that read the same rows. */
public final class WeightGrads {
  private WeightGrads() {}

  /**
   * One layer's.
   *
   * @param dy float32 [length, m] with contiguous rows
   * @param weight float32 [m, n]: dy^T x
   * @param bias float32 [m], the sum of dy's rows, or null
   */
  public record Layer(MatrixView dy, MatrixView weight, StoredVector bias) {}

  /**
   * Computes them; what is summed over is read once for all layers.
   *
   * @param x float32 [length, n] with contiguous rows
   */
  public static void run(
      Workers workers, int m, int n, int length, MatrixView x, List<Layer> layers) {
    MatrixView right = x.transposed();
    boolean together =
        layers.stream()
            .allMatch(l -> OuterMatMul.fits(length, l.dy.transposed(), right, Epilogue.NONE));
    if (together) {
      List<OuterMatMul.Part> parts =
          layers.stream()
              .map(l -> new OuterMatMul.Part(l.dy.transposed(), l.weight, l.bias))
              .toList();
      OuterMatMul.run(workers, m, n, length, right, parts);
      return;
    }
    for (Layer layer : layers) {
      MatMul.run(workers, m, n, length, layer.dy.transposed(), right, layer.weight, Epilogue.NONE);
      if (layer.bias != null) {
        StoredVector dy = StoredVector.f32(layer.dy.segment(), layer.dy.byteOffset());
        Reductions.sum(workers, 1, length, m, dy, null, layer.bias);
      }
    }
  }
}
