package org.rectiflow.paper.items;

import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/** Sampling of curves, and number formats that do not depend on the machine's language. */
final class Grids {

  private Grids() {}

  /** n points from first to last, both included. */
  static double[] linear(double first, double last, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = first + (last - first) * i / (n - 1);
    }
    return x;
  }

  /** The middles of n equal parts of (0, 1), for functions without a value at the ends. */
  static double[] middles(int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = (i + 0.5) / n;
    }
    return x;
  }

  static double[] map(double[] x, DoubleUnaryOperator f) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = f.applyAsDouble(x[i]);
    }
    return y;
  }

  static String fixed(double value, int decimals) {
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  /** All digits, for CSV files. */
  static String full(double value) {
    return Double.toString(value);
  }

  static String scientific(double value) {
    return String.format(Locale.ROOT, "%.2e", value);
  }

  static String grouped(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }
}
