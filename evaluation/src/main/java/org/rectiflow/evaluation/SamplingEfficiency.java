package org.rectiflow.evaluation;

import java.util.List;

/**
 * The two quantities of Table 6: the length of the path a sampler walks, and how much a score drops
 * when fewer steps are taken.
 */
public final class SamplingEfficiency {

  private SamplingEfficiency() {}

  /**
   * Path length {@code sum_i |v_i dt_i|} of an Euler trajectory, which is the summed distance
   * between consecutive states.
   *
   * @param states the states of one trajectory in order, from noise to data; at least two, of equal
   *     length
   * @throws IllegalArgumentException if there are fewer than two states or their lengths differ
   */
  public static double pathLength(List<float[]> states) {
    double[][] wide = new double[states.size()][];
    for (int i = 0; i < wide.length; i++) {
      float[] state = states.get(i);
      wide[i] = new double[state.length];
      for (int j = 0; j < state.length; j++) {
        wide[i][j] = state[j];
      }
    }
    return pathLength(wide);
  }

  /** The same in double precision. */
  public static double pathLength(double[][] states) {
    if (states.length < 2) {
      throw new IllegalArgumentException("a path has at least two states, found " + states.length);
    }
    double length = 0;
    for (int i = 1; i < states.length; i++) {
      length += distance(states[i - 1], states[i], i);
    }
    return length;
  }

  /**
   * Relative decrease of a score in percent against the score at the full number of steps: {@code
   * 100 (full - few) / full}. Negative when fewer steps score better.
   *
   * @throws IllegalArgumentException if {@code full} is not positive
   */
  public static double relativeDecreasePercent(double full, double few) {
    if (!(full > 0)) {
      throw new IllegalArgumentException(
          "a relative decrease needs a positive score at full steps, found " + full);
    }
    return 100 * (full - few) / full;
  }

  /**
   * Length of a perfectly straight path between independent unit-variance noise and latents of this
   * many numbers, {@code sqrt(2 dim)}: 181.02 for the 32 x 32 x 16 latents of a 256 x 256 picture,
   * against 185.96 to 191.13 in Table 6.
   */
  public static double straightPathLength(long dimension) {
    if (dimension < 1) {
      throw new IllegalArgumentException("dimension must be positive, found " + dimension);
    }
    return Math.sqrt(2.0 * dimension);
  }

  /**
   * Numbers in the latent of a picture: {@code (height / 8) (width / 8) channels} (Section 2.1,
   * downsampling factor 8).
   *
   * @throws IllegalArgumentException if a side is not a positive multiple of 8
   */
  public static long latentDimension(int height, int width, int channels) {
    if (height < 8 || width < 8 || height % 8 != 0 || width % 8 != 0 || channels < 1) {
      throw new IllegalArgumentException(
          "height and width must be positive multiples of 8 and channels positive,"
              + " found %d x %d x %d".formatted(height, width, channels));
    }
    return (long) (height / 8) * (width / 8) * channels;
  }

  private static double distance(double[] from, double[] to, int index) {
    if (from.length != to.length) {
      throw new IllegalArgumentException(
          "state %d has %d numbers, the state before has %d"
              .formatted(index, to.length, from.length));
    }
    double sum = 0;
    for (int j = 0; j < from.length; j++) {
      double step = to[j] - from[j];
      sum += step * step;
    }
    return Math.sqrt(sum);
  }
}
