package org.rectiflow.trainer.data;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Random generators by what they are for: one for each purpose and number, so that what is drawn
 * for one sample does not depend on what was drawn for others.
 */
public final class Randoms {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Randoms() {}

  /**
   * The generator of one purpose.
   *
   * @param seed of the run
   * @param purpose what is drawn
   * @param number which of them
   */
  public static RandomGenerator of(long seed, String purpose, long number) {
    long mixed = mix(mix(mix(seed + GOLDEN) + purpose.hashCode() * GOLDEN) + number * GOLDEN);
    return new SplittableRandom(mixed);
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood 2014). */
  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
