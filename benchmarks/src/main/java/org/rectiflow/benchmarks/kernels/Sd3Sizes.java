package org.rectiflow.benchmarks.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The sizes at which Stable Diffusion 3 uses its kernels. Operands are made when asked for: all of
 * them together would not fit into memory.
 */
public final class Sd3Sizes {
  private Sd3Sizes() {}

  /**
   * Linear layers: of SD3-medium (width 1536) with 154 and 333 tokens of text, 1024 and 4096 of
   * image, both together; of SD3.5-large (2432) and T5 (4096); and the modulation of one timestep.
   */
  public static List<Supplier<MatMulProblem>> matMul() {
    List<Supplier<MatMulProblem>> sizes = new ArrayList<>();
    sizes.add(() -> MatMulProblem.of(1, 1536, 9216));
    for (int m : new int[] {154, 333, 1024, 1178, 4096, 4250}) {
      sizes.add(() -> MatMulProblem.of(m, 1536, 1536));
      sizes.add(() -> MatMulProblem.of(m, 1536, 6144));
      sizes.add(() -> MatMulProblem.of(m, 6144, 1536));
    }
    sizes.add(() -> MatMulProblem.of(1178, 2432, 9728));
    sizes.add(() -> MatMulProblem.of(1178, 9728, 2432));
    sizes.add(() -> MatMulProblem.of(154, 4096, 10240));
    sizes.add(() -> MatMulProblem.of(154, 10240, 4096));
    return sizes;
  }

  /** Joint attention of SD3-medium at 512x512 and 1024x1024 with 333 tokens of text. */
  public static List<Supplier<AttentionProblem>> attention() {
    return List.of(
        () -> AttentionProblem.joint(24, 64, 1024, 333),
        () -> AttentionProblem.joint(24, 64, 4096, 333));
  }

  /** Attention with a bias; T5's has 64 heads of 64. */
  public static List<Supplier<AttentionProblem>> biasedAttention() {
    return List.of(
        () -> AttentionProblem.biased(64, 64, 256), () -> AttentionProblem.biased(24, 64, 1357));
  }

  /**
   * Convolutions of the autoencoder for a picture of 512x512. Where the whole picture would take
   * more than 10^11 operations a strip of it is taken, of the picture's full width.
   */
  public static List<Supplier<ConvProblem>> convolution() {
    return List.of(
        () -> ConvProblem.same(16, 512, 64, 64, 3),
        () -> ConvProblem.same(512, 512, 64, 64, 3),
        () -> ConvProblem.same(512, 512, 128, 128, 3),
        () -> ConvProblem.same(512, 256, 64, 256, 3),
        () -> ConvProblem.same(256, 256, 128, 256, 3),
        () -> ConvProblem.same(256, 128, 128, 512, 3),
        () -> ConvProblem.same(128, 128, 256, 512, 3),
        () -> ConvProblem.same(128, 3, 512, 512, 3),
        () -> ConvProblem.same(512, 256, 256, 256, 1),
        () -> ConvProblem.same(256, 128, 512, 512, 1),
        () -> ConvProblem.upsampled(512, 64, 64),
        () -> ConvProblem.upsampled(256, 64, 256),
        () -> ConvProblem.halving(128, 512, 512),
        () -> ConvProblem.halving(512, 128, 128));
  }
}
