package org.rectiflow.trainer;

import java.util.Map;
import java.util.TreeMap;

/** Means of numbers since the last line of the log, by name. */
public final class Meter {
  private final Map<String, Sum> sums = new TreeMap<>();

  /**
   * What was added so far under one name.
   *
   * @param total the sum
   * @param count how many numbers
   */
  public record Sum(double total, long count) {}

  /** Adds a number. */
  public void add(String name, double value) {
    Sum old = sums.getOrDefault(name, new Sum(0, 0));
    sums.put(name, new Sum(old.total + value, old.count + 1));
  }

  /** The mean of what was added under a name; NaN if nothing was. */
  public double mean(String name) {
    Sum sum = sums.get(name);
    return sum == null ? Double.NaN : sum.total / sum.count;
  }

  /** All means, by name in alphabetical order. */
  Map<String, Double> means() {
    Map<String, Double> means = new TreeMap<>();
    sums.forEach((name, sum) -> means.put(name, sum.total / sum.count));
    return means;
  }

  /** The sums, to be written down. */
  Map<String, Sum> sums() {
    return new TreeMap<>(sums);
  }

  /** Goes on with sums that were written down. */
  void restore(Map<String, Sum> written) {
    sums.clear();
    sums.putAll(written);
  }

  /** Begins anew. */
  void clear() {
    sums.clear();
  }
}
