package org.rectiflow.trainer.data;

import java.util.random.RandomGenerator;

/**
 * The order in which examples are trained on: all of them once in every epoch, shuffled anew each
 * time. A pure function of the seed and the sample's number.
 */
public final class EpochOrder {
  private final long seed;
  private final int size;
  private volatile Epoch known = new Epoch(-1, new int[0]);

  /** An epoch's permutation. */
  private record Epoch(long number, int[] order) {}

  /**
   * @param size examples
   */
  public EpochOrder(long seed, int size) {
    this.seed = seed;
    this.size = size;
  }

  /**
   * The example that is trained on as number {@code sample}, from 0 on, of the run. Safe to call
   * from several threads.
   */
  public int at(long sample) {
    long number = sample / size;
    Epoch epoch = known;
    if (epoch.number != number) {
      epoch = new Epoch(number, shuffled(number));
      known = epoch;
    }
    return epoch.order[(int) (sample % size)];
  }

  private int[] shuffled(long number) {
    RandomGenerator random = Randoms.of(seed, "order", number);
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
