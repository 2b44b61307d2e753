package org.rectiflow.safetensors;

import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** The dice of the fuzzer. */
final class FuzzRandom {

  private final SplittableRandom random;

  FuzzRandom(long seed) {
    random = new SplittableRandom(seed);
  }

  boolean chance(int percent) {
    return nextInt(100) < percent;
  }

  <T> T pick(List<T> list) {
    return list.get(nextInt(list.size()));
  }

  int nextInt() {
    return random.nextInt();
  }

  int nextInt(int bound) {
    return random.nextInt(bound);
  }

  int nextInt(int from, int bound) {
    return random.nextInt(from, bound);
  }

  long nextLong() {
    return random.nextLong();
  }

  long nextLong(long bound) {
    return random.nextLong(bound);
  }

  /** For {@link java.util.Collections#shuffle}. */
  Random shuffling() {
    return new Random(random.nextLong());
  }
}
