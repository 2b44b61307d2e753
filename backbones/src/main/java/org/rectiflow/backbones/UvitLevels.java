package org.rectiflow.backbones;

import org.rectiflow.mmdit.MmditConfig;

/**
 * The resolutions of a UViT: each level has half the rows and columns of the one below and twice
 * its channels; the topmost is the transformer's.
 *
 * @param count convolutional levels
 * @param width channels of the transformer
 */
record UvitLevels(int count, int width) {
  /** Residual blocks of a level on the way up, and on the way down. */
  static final int RESNETS = 2;

  /** Channels that a group norm takes together. */
  static final int GROUP = 16;

  /**
   * @throws IllegalArgumentException if there are no such levels
   */
  static UvitLevels of(MmditConfig sizes) {
    int patch = sizes.patchSize();
    if (patch != 2 && patch != 4) {
      throw new IllegalArgumentException(
          "the patch size of uvit is the factor to its transformer's grid and must be 2 or 4, found "
              + patch);
    }
    return new UvitLevels(Integer.numberOfTrailingZeros(patch), sizes.width());
  }

  /** Channels of a level, from 0 at the latent's resolution to {@link #count}. */
  int channels(int level) {
    return width >> (count - level);
  }
}
