package org.rectiflow.benchmarks.measure;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Times of several contenders who took turns. Machines are noisy, and the noise lasts for seconds:
 * only what was measured within one round may be compared, so all results are medians of ratios
 * formed within rounds.
 */
public final class Rounds {
  /**
   * Before every turn. Threads of OpenMP look for new work for about 20 ms after they have
   * finished, and would take the processors from the next contender.
   */
  private static final long PAUSE_NANOS = 30_000_000;

  private final List<Contender> contenders;
  private final double[][] seconds;

  private Rounds(List<Contender> contenders, double[][] seconds) {
    this.contenders = contenders;
    this.seconds = seconds;
  }

  /**
   * Lets everyone run in every round; each round begins with another contender.
   *
   * @param turn the least seconds of one turn; fast contenders run several times, their time is the
   *     mean
   */
  public static Rounds run(List<? extends Contender> contenders, int rounds, double turn) {
    if (rounds < 1 || contenders.isEmpty()) {
      throw new IllegalArgumentException(
          rounds + " rounds of " + contenders.size() + " contenders: there is nothing to measure");
    }
    double[][] seconds = new double[contenders.size()][rounds];
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < contenders.size(); i++) {
        int turnOf = (round + i) % contenders.size();
        seconds[turnOf][round] = turn(contenders.get(turnOf), turn);
      }
    }
    return new Rounds(List.copyOf(contenders), seconds);
  }

  private static double turn(Contender contender, double least) {
    LockSupport.parkNanos(PAUSE_NANOS);
    double first = contender.seconds();
    if (first >= least) {
      return first;
    }
    // The first run found the caches full of the others' data.
    double sum = 0;
    int runs = 0;
    do {
      sum += contender.seconds();
      runs++;
    } while (sum < least);
    return sum / runs;
  }

  /**
   * Runs a contender until the JVM has compiled what it needs.
   *
   * @param least the least seconds to run for; at least two runs are made
   */
  public static void warmUp(Contender contender, double least) {
    double sum = contender.seconds();
    do {
      sum += contender.seconds();
    } while (sum < least);
  }

  /** Seconds of one run, in each round. */
  public double[] seconds(Contender contender) {
    int index = contenders.indexOf(contender);
    if (index < 0) {
      throw new IllegalArgumentException(contender.name() + " took no part");
    }
    return seconds[index].clone();
  }

  /**
   * How many times as fast as {@code other} the contender is: {@code other}'s time over its own.
   */
  public Spread speed(Contender contender, Contender other) {
    double[] own = seconds(contender);
    double[] others = seconds(other);
    double[] ratios = new double[own.length];
    for (int i = 0; i < own.length; i++) {
      ratios[i] = others[i] / own[i];
    }
    return Spread.of(ratios);
  }

  /**
   * The rate of work done by one contender as a fraction of another's.
   *
   * @param work of one run: operations or bytes
   * @param peak whose rate is 1
   * @param peakWork of one run of the peak
   */
  public Spread fraction(Contender contender, double work, Contender peak, double peakWork) {
    Spread speed = speed(contender, peak);
    double factor = work / peakWork;
    return new Spread(factor * speed.median(), factor * speed.lower(), factor * speed.upper());
  }
}
