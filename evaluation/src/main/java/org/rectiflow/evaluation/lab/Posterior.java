package org.rectiflow.evaluation.lab;

/**
 * The optimal answers of a network that sees z = a x0 + b epsilon: conditional means, and how much
 * they must leave open.
 */
public final class Posterior {

  private final double[] x0;
  private final double[] epsilon;
  private final double variance;

  Posterior(double[] x0, double[] epsilon, double variance) {
    this.x0 = x0;
    this.epsilon = epsilon;
    this.variance = variance;
  }

  /** E[x0 | z]: the optimal prediction of the data. */
  public double[] x0() {
    return x0.clone();
  }

  /** E[epsilon | z]: the optimal prediction of the noise. */
  public double[] epsilon() {
    return epsilon.clone();
  }

  /** Trace of the covariance of x0 given z: the squared error no prediction of x0 avoids. */
  public double variance() {
    return variance;
  }

  /**
   * The optimal velocity {@code E[a' x0 + b' epsilon | z]} (eq. 6 of the paper).
   *
   * @param aPrime derivative of a by t
   * @param bPrime derivative of b by t
   */
  public double[] velocity(double aPrime, double bPrime) {
    double[] velocity = new double[x0.length];
    for (int i = 0; i < velocity.length; i++) {
      velocity[i] = aPrime * x0[i] + bPrime * epsilon[i];
    }
    return velocity;
  }
}
