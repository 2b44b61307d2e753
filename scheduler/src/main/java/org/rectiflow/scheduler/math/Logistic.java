package org.rectiflow.scheduler.math;

/** The logistic function and its inverse, without loss of digits at either end. */
public final class Logistic {

  private Logistic() {}

  /** 1 / (1 + e^-x). */
  public static double sigmoid(double x) {
    if (x >= 0) {
      return 1 / (1 + Math.exp(-x));
    }
    double e = Math.exp(x);
    return e / (1 + e);
  }

  /** ln(p / (1 - p)); infinite at 0 and 1. */
  public static double logit(double p) {
    return Math.log(p) - Math.log1p(-p);
  }
}
