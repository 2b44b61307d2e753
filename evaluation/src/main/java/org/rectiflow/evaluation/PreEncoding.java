package org.rectiflow.evaluation;

import java.util.List;

/**
 * The arithmetic of Table 7 (Appendix E.1): what it costs to hold an encoder in memory and what it
 * costs to store its outputs instead. Token sequences are stored in half precision, pooled vectors
 * and the latents of a 256 x 256 picture in single precision.
 */
public final class PreEncoding {

  /** Text tokens of each encoder in the paper. */
  public static final int TOKENS = 77;

  /** Duration of a training step of the 2B model with pre-encoded data, in ms (Table 7). */
  public static final double STEP_MILLISECONDS = 568;

  /** Batch at which Table 7 measures forward passes. */
  public static final int BATCH = 32;

  private static final int HALF = 2;
  private static final int SINGLE = 4;

  /**
   * A frozen encoder and the shape of what it gives.
   *
   * @param name as in Table 7
   * @param parameters number of weights
   * @param sequence numbers of its sequence output, stored as fp16; 0 if none
   * @param vector numbers of its fp32 output: the pooled vector or the latent; 0 if none
   */
  public record Encoder(String name, long parameters, long sequence, long vector) {

    /** Weights in single precision, in bytes; Table 7 prints 10^9 bytes as GB. */
    public long memoryBytes() {
      return parameters * SINGLE;
    }

    /** Bytes stored for one training example; Table 7 prints 10^3 bytes as kB. */
    public long storageBytes() {
      return sequence * HALF + vector * SINGLE;
    }
  }

  /**
   * The four encoders of Table 7. The VAE row is the encoder half alone, the latent of 256 x 256
   * pixels; the counts are those of the released weights, CLIP-L without its text projection.
   */
  public static final List<Encoder> PAPER =
      List.of(
          new Encoder(
              "VAE (Enc)", 34_274_208L, 0, SamplingEfficiency.latentDimension(256, 256, 16)),
          new Encoder("CLIP-L", 123_060_480L, TOKENS * 768L, 768),
          new Encoder("CLIP-G", 694_659_840L, TOKENS * 1280L, 1280),
          new Encoder("T5", 4_762_310_656L, TOKENS * 4096L, 0));

  private PreEncoding() {}

  /**
   * Time an encoder adds to the paper's training step, in percent of the step.
   *
   * @param millisecondsPerSample forward pass of one example
   */
  public static double stepIncreasePercent(double millisecondsPerSample) {
    return stepIncreasePercent(millisecondsPerSample, 1000 * BATCH / STEP_MILLISECONDS);
  }

  /**
   * Time an encoder adds to any training step, in percent of the step.
   *
   * @param millisecondsPerSample forward pass of one example
   * @param samplesPerSecond that are trained on with pre-encoded data
   */
  public static double stepIncreasePercent(double millisecondsPerSample, double samplesPerSecond) {
    if (!(millisecondsPerSample >= 0)) {
      throw new IllegalArgumentException(
          "a forward pass takes a positive time, found " + millisecondsPerSample);
    }
    if (!(samplesPerSecond > 0)) {
      throw new IllegalArgumentException(
          "training has a positive speed, found " + samplesPerSecond);
    }
    return 100 * millisecondsPerSample / 1000 * samplesPerSecond;
  }
}
