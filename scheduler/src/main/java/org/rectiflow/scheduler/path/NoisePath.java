package org.rectiflow.scheduler.path;

/**
 * A path from data to noise, z_t = a_t x0 + b_t eps (equation 2 of the paper). All functions of t
 * take t in [0, 1] and throw {@link IllegalArgumentException} outside; where a quantity has an
 * infinite limit at an end they return it.
 */
public sealed interface NoisePath permits RectifiedFlow, Cosine, LinearPath, VarianceExploding {

  /** The name of the path, as in the formulations of the paper's Section 5.1. */
  String name();

  /** The factor of the data. */
  double a(double t);

  /** The factor of the noise. */
  double b(double t);

  /** The derivative of a with respect to t. */
  double aDot(double t);

  /** The derivative of b with respect to t. */
  double bDot(double t);

  /** The log-SNR lambda_t = ln(a^2 / b^2), strictly decreasing in t. */
  double logSnr(double t);

  /** The derivative of the log-SNR, 2 (a'/a - b'/b); negative. */
  double logSnrDot(double t);

  /**
   * The inverse of {@link #logSnr}.
   *
   * @param lambda a log-SNR; the infinities stand for the ends
   * @throws IllegalArgumentException if the path does not reach this log-SNR
   */
  double timestepOf(double lambda);

  /**
   * Where sampling begins: 1, or the time of the largest noise level in use for paths whose noise
   * grows without bound.
   */
  default double startTime() {
    return 1;
  }

  /**
   * The standard deviation of the normal sample that sampling begins with, at {@link #startTime}.
   */
  default double startScale() {
    return 1;
  }

  /** z_t = a_t x0 + b_t eps for one component. */
  default double noised(double x0, double eps, double t) {
    return a(t) * x0 + b(t) * eps;
  }

  /**
   * The conditional velocity u_t(z | eps) = (a'/a) z - (b/2) lambda' eps of equation 10, for one
   * component.
   *
   * @throws IllegalArgumentException where a_t = 0, because z then says nothing about the data
   */
  default double conditionalVelocity(double z, double eps, double t) {
    double a = a(t);
    if (a == 0) {
      throw new IllegalArgumentException(
          "The velocity given z and eps does not exist at t = "
              + t
              + " of "
              + name()
              + ", where a_t = 0.");
    }
    return aDot(t) * ((z - b(t) * eps) / a) + bDot(t) * eps;
  }

  /** The velocity of one pair, d z_t / dt = a' x0 + b' eps, for one component. */
  default double pairVelocity(double x0, double eps, double t) {
    return aDot(t) * x0 + bDot(t) * eps;
  }
}
