package org.rectiflow.evaluation;

/**
 * Parameter count of an MM-DiT (Section 4 and Figure 2 of the paper; head dimension 64, hidden size
 * 64 depth, MLP factor 4), by formula: {@code 36 d h^2 - 13 h^2 + 4 h^2 + h (256 + pooled + context
 * + 2 p^2 c)} and the biases. The positional table is a buffer, not a parameter, and not counted.
 *
 * @param depth number of blocks d; also the number of heads
 * @param contextWidth channels of the text sequence, 4096 in the paper
 * @param pooledWidth channels of the pooled text vector, 2048 in the paper
 * @param patch side of a patch, 2 in the paper
 * @param channels latent channels, 16 in the paper
 * @param qkNorm whether queries and keys have RMSNorm scales (Section 5.3.2)
 * @param dualAttentionBlocks blocks whose image stream has a second self-attention (SD3.5-medium:
 *     13; the paper: 0)
 */
public record MmditSize(
    int depth,
    int contextWidth,
    int pooledWidth,
    int patch,
    int channels,
    boolean qkNorm,
    int dualAttentionBlocks) {

  private static final int HEAD = 64;
  private static final int TIMESTEP_FREQUENCIES = 256;

  /** Refuses sizes that are no model. */
  public MmditSize {
    if (depth < 1 || contextWidth < 1 || pooledWidth < 1 || patch < 1 || channels < 1) {
      throw new IllegalArgumentException(
          "depth, widths, patch and channels must be positive, found %d, %d, %d, %d, %d"
              .formatted(depth, contextWidth, pooledWidth, patch, channels));
    }
    if (dualAttentionBlocks < 0 || dualAttentionBlocks > depth) {
      throw new IllegalArgumentException(
          "dualAttentionBlocks must be between 0 and depth %d, found %d"
              .formatted(depth, dualAttentionBlocks));
    }
  }

  /** The paper's model of a depth: context 4096, pooled 2048, patch 2, 16 channels. */
  public static MmditSize paper(int depth, boolean qkNorm) {
    return new MmditSize(depth, 4096, 2048, 2, 16, qkNorm, 0);
  }

  /** Hidden size h = 64 d. */
  public long hidden() {
    return (long) HEAD * depth;
  }

  /** Parameters of the four embedders: patches, timestep, pooled text, text sequence. */
  public long embedderParameters() {
    long h = hidden();
    long patches = linear((long) channels * patch * patch, h);
    long timestep = linear(TIMESTEP_FREQUENCIES, h) + linear(h, h);
    long pooled = linear(pooledWidth, h) + linear(h, h);
    return patches + timestep + pooled + linear(contextWidth, h);
  }

  /** Parameters of all joint blocks; the last one's text stream ends after its keys and values. */
  public long blockParameters() {
    long h = hidden();
    long attention = linear(h, 3 * h) + (qkNorm ? 2 * HEAD : 0);
    long out = linear(h, h);
    long mlp = linear(h, 4 * h) + linear(4 * h, h);
    long stream = linear(h, 6 * h) + attention + out + mlp;
    long lastTextStream = linear(h, 2 * h) + attention;
    long dual = 3 * h * h + 3 * h + attention + out;
    return 2L * depth * stream - stream + lastTextStream + dualAttentionBlocks * dual;
  }

  /** Parameters of the final modulation and projection. */
  public long outputParameters() {
    long h = hidden();
    return linear(h, 2 * h) + linear(h, (long) channels * patch * patch);
  }

  /** All parameters. */
  public long parameters() {
    return embedderParameters() + blockParameters() + outputParameters();
  }

  /**
   * Numbers in the positional table of {@code side} x {@code side} patches, which checkpoints store
   * beside the parameters.
   */
  public long positionTable(int side) {
    return (long) side * side * hidden();
  }

  private static long linear(long in, long out) {
    return in * out + out;
  }
}
