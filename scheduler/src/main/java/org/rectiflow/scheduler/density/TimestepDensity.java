package org.rectiflow.scheduler.density;

import java.util.random.RandomGenerator;

/**
 * A distribution of the training timestep t on [0, 1]. Functions of t and of probabilities throw
 * {@link IllegalArgumentException} outside [0, 1].
 *
 * <p>Near t = 1 the distribution function is so close to 1 that doubles cannot tell times apart;
 * {@link #survival} and {@link #survivalQuantile} keep full precision there.
 */
public sealed interface TimestepDensity
    permits Uniform, LogitNormal, Mode, CosMap, EdmLogNormal, ResolutionShifted {

  /** The name, as in the paper's formulations, e.g. {@code lognorm(0.00,1.00)}. */
  String name();

  /** The density pi(t). */
  double pdf(double t);

  /** The probability of times up to t. */
  double cdf(double t);

  /** The probability of times above t, 1 - cdf(t) without its loss of digits. */
  double survival(double t);

  /** The time t with {@code cdf(t) = u}. */
  double quantile(double u);

  /** The time t with {@code survival(t) = u}. */
  double survivalQuantile(double u);

  /** Draws one timestep, by the quantile of one uniform number. */
  default double sample(RandomGenerator random) {
    double u = random.nextDouble();
    // 0 would be the end itself, which a density without mass there must not return.
    while (u == 0) {
      u = random.nextDouble();
    }
    return quantile(u);
  }

  /** Draws n timesteps. */
  default double[] sample(RandomGenerator random, int n) {
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      out[i] = sample(random);
    }
    return out;
  }
}
