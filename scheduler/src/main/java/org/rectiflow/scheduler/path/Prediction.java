package org.rectiflow.scheduler.path;

/**
 * What a network predicts from z_t = a x0 + b eps. Every prediction is a combination p x0 + q eps,
 * so the network's output and z are two equations for x0 and eps; all conversions follow from them.
 * Coefficients are per time and path; outputs and samples are single components.
 */
public enum Prediction {
  /**
   * The velocity of the path, a' x0 + b' eps; eps - x0 on rectified flow (equation 13 of the
   * paper).
   */
  VELOCITY("velocity") {
    @Override
    public double dataFactor(NoisePath path, double t) {
      return path.aDot(t);
    }

    @Override
    public double noiseFactor(NoisePath path, double t) {
      return path.bDot(t);
    }
  },
  /** The noise eps. */
  EPSILON("epsilon") {
    @Override
    public double dataFactor(NoisePath path, double t) {
      return 0;
    }

    @Override
    public double noiseFactor(NoisePath path, double t) {
      return 1;
    }
  },
  /** v = a eps - b x0 (Salimans and Ho 2022). */
  V("v") {
    @Override
    public double dataFactor(NoisePath path, double t) {
      return -path.b(t);
    }

    @Override
    public double noiseFactor(NoisePath path, double t) {
      return path.a(t);
    }
  },
  /**
   * EDM's F: x0 = c_skip y + c_out F with y = z / a and sigma = b / a, c_skip = s_d^2 / (sigma^2 +
   * s_d^2), c_out = sigma s_d / sqrt(sigma^2 + s_d^2) (Karras et al. 2022, Table 1), s_d = {@link
   * #SIGMA_DATA}. The network sees {@link #inputScale} times z.
   */
  F("F") {
    @Override
    public double dataFactor(NoisePath path, double t) {
      double sigma = path.b(t) / path.a(t);
      return sigma / (SIGMA_DATA * Math.hypot(sigma, SIGMA_DATA));
    }

    @Override
    public double noiseFactor(NoisePath path, double t) {
      return -SIGMA_DATA / Math.hypot(path.b(t) / path.a(t), SIGMA_DATA);
    }

    @Override
    public double inputScale(NoisePath path, double t) {
      return 1 / (path.a(t) * Math.hypot(path.b(t) / path.a(t), SIGMA_DATA));
    }
  };

  /**
   * The standard deviation of the data that EDM assumes (Karras et al. 2022, Table 1; the 0.5 of
   * equation 16).
   */
  public static final double SIGMA_DATA = 0.5;

  private final String printedName;

  Prediction(String printedName) {
    this.printedName = printedName;
  }

  /** The name for people. */
  public String printedName() {
    return printedName;
  }

  /** p, the factor of x0 in what is predicted. */
  public abstract double dataFactor(NoisePath path, double t);

  /** q, the factor of eps in what is predicted. */
  public abstract double noiseFactor(NoisePath path, double t);

  /** What z is multiplied by before the network sees it: c_in for F, else 1. */
  public double inputScale(NoisePath path, double t) {
    return 1;
  }

  /** The training target p x0 + q eps. */
  public double target(NoisePath path, double t, double x0, double eps) {
    return dataFactor(path, t) * x0 + noiseFactor(path, t) * eps;
  }

  /**
   * How x0, eps and the velocity follow from the network's output at one time.
   *
   * @throws IllegalArgumentException where output and z together do not determine them, as an
   *     epsilon prediction at a_t = 0
   */
  public Conversion at(NoisePath path, double t) {
    return new Conversion(path, this, t);
  }
}
