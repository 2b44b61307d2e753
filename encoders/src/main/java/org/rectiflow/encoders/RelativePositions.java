package org.rectiflow.encoders;

import org.rectiflow.engine.IntTensor;

/** T5's relative position buckets, both directions (transformers' T5Attention). */
final class RelativePositions {
  private RelativePositions() {}

  /**
   * The bucket of every query and key position.
   *
   * @return [tokens, tokens], queries first
   */
  static IntTensor table(int tokens, int buckets, int maxDistance) {
    int[] table = new int[tokens * tokens];
    for (int query = 0; query < tokens; query++) {
      for (int key = 0; key < tokens; key++) {
        table[query * tokens + key] = bucket(key - query, buckets, maxDistance);
      }
    }
    return IntTensor.of(table, tokens, tokens);
  }

  /**
   * The bucket of {@code key - query}: half of the buckets for each direction, of these half for
   * small distances exactly, the others in logarithmic steps up to {@code maxDistance}.
   */
  static int bucket(int relative, int buckets, int maxDistance) {
    int half = buckets / 2;
    int exact = half / 2;
    int side = relative > 0 ? half : 0;
    int distance = Math.abs(relative);
    if (distance < exact) {
      return side + distance;
    }
    // In float, as torch computes it: the quotient is rounded down right at the edges of buckets.
    float steps =
        (float) Math.log((float) distance / exact)
            / (float) Math.log((double) maxDistance / exact)
            * (half - exact);
    return side + Math.min(exact + (int) steps, half - 1);
  }
}
