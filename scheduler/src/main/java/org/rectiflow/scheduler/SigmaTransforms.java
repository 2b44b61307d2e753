package org.rectiflow.scheduler;

/**
 * The transformations of a list of sigmas in diffusers 0.40.0's {@code set_timesteps}. NumPy
 * computes the scheduler's own list in float64 and a list given by the user in float32; {@code
 * single} says which, and every operation is rounded accordingly (one operation in double, rounded,
 * is the correctly rounded float operation).
 */
final class SigmaTransforms {

  /** Exponent of Karras et al. 2022, equation 5. */
  private static final double RHO = 7.0;

  /** Both parameters of the beta distribution, from "Beta Sampling is All You Need". */
  private static final double BETA_SHAPE = 0.6;

  private SigmaTransforms() {}

  private static double round(double value, boolean single) {
    return single ? (float) value : value;
  }

  /** {@code numpy.linspace(start, stop, n)}. */
  static double[] linspace(double start, double stop, int n) {
    double[] out = new double[n];
    double step = (stop - start) / (n - 1);
    for (int i = 1; i < n - 1; i++) {
      out[i] = i * step + start;
    }
    out[n - 1] = stop;
    out[0] = start;
    return out;
  }

  /** sigma * shift / (1 + (shift - 1) sigma), equation 23 of the paper with alpha = shift. */
  static void staticShift(double[] sigmas, double shift, boolean single) {
    double factor = round(shift, single);
    double excess = round(shift - 1, single);
    for (int i = 0; i < sigmas.length; i++) {
      double numerator = round(factor * sigmas[i], single);
      double denominator = round(1 + round(excess * sigmas[i], single), single);
      sigmas[i] = round(numerator / denominator, single);
    }
  }

  /** The shift by mu. */
  static void timeShift(double[] sigmas, double mu, TimeShiftType type, boolean single) {
    double factor =
        round(
            switch (type) {
              case EXPONENTIAL -> Math.exp(mu);
              case LINEAR -> mu;
            },
            single);
    for (int i = 0; i < sigmas.length; i++) {
      double odds = round(round(1 / sigmas[i], single) - 1, single);
      sigmas[i] = round(factor / round(factor + odds, single), single);
    }
  }

  /** Stretches the distances to 1 so that the last sigma becomes {@code terminal}. */
  static void stretchToTerminal(double[] sigmas, double terminal, boolean single) {
    double last = round(1 - sigmas[sigmas.length - 1], single);
    if (last == 0) {
      throw new IllegalArgumentException(
          "shift_terminal stretches the last sigma to "
              + terminal
              + ", but the last of "
              + sigmas.length
              + " sigma(s) is 1 and cannot be moved; use at least 2 steps or no shift_terminal.");
    }
    double scale = round(last / round(1 - terminal, single), single);
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = round(1 - round(round(1 - sigmas[i], single) / scale, single), single);
    }
  }

  /**
   * The schedule of Karras et al. 2022 (equation 5, rho = 7) between the first and the last sigma.
   */
  static double[] karras(double[] sigmas) {
    double min = Math.pow(sigmas[sigmas.length - 1], 1 / RHO);
    double max = Math.pow(sigmas[0], 1 / RHO);
    double[] ramp = linspace(0, 1, sigmas.length);
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = Math.pow(max + ramp[i] * (min - max), RHO);
    }
    return ramp;
  }

  /** Equal ratios between the first and the last sigma. */
  static double[] exponential(double[] sigmas) {
    double last = sigmas[sigmas.length - 1];
    if (!(last > 0) || !(sigmas[0] > 0)) {
      throw new IllegalArgumentException(
          "use_exponential_sigmas needs first and last sigmas above 0, found "
              + sigmas[0]
              + " and "
              + last
              + ".");
    }
    double[] out = linspace(Math.log(sigmas[0]), Math.log(last), sigmas.length);
    for (int i = 0; i < out.length; i++) {
      out[i] = Math.exp(out[i]);
    }
    return out;
  }

  /** Quantiles of Beta(0.6, 0.6) between the last and the first sigma. */
  static double[] beta(double[] sigmas) {
    double min = sigmas[sigmas.length - 1];
    double max = sigmas[0];
    double[] out = linspace(0, 1, sigmas.length);
    for (int i = 0; i < out.length; i++) {
      out[i] = min + BetaQuantile.of(1 - out[i], BETA_SHAPE, BETA_SHAPE) * (max - min);
    }
    return out;
  }
}
