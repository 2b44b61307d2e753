package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class WorkersTest {
  @Test
  void runsEveryIndexOnce() {
    for (int threads : new int[] {1, 2, 5}) {
      try (Workers workers = new Workers(threads)) {
        for (int tasks : new int[] {0, 1, 2, 3, 1000}) {
          AtomicIntegerArray seen = new AtomicIntegerArray(Math.max(1, tasks));
          workers.parallelFor(tasks, (i, _) -> seen.incrementAndGet(i));
          for (int i = 0; i < tasks; i++) {
            assertThat(seen.get(i)).isEqualTo(1);
          }
        }
      }
    }
  }

  @Test
  void survivesManyShortLoops() {
    try (Workers workers = new Workers(3)) {
      int[] sum = new int[64];
      for (int i = 0; i < 20_000; i++) {
        workers.parallelFor(64, (t, _) -> sum[t]++);
      }
      assertThat(sum).containsOnly(20_000);
    }
  }

  @Test
  void throwsWhatATaskThrows() {
    try (Workers workers = new Workers(2)) {
      assertThatThrownBy(() ->
              workers.parallelFor(
                  100,
                  (i, _) -> {
                    if (i == 42) {
                      throw new IllegalArgumentException("task 42");
                    }
                  }))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("task 42");
      int[] count = new int[10];
      workers.parallelFor(10, (i, _) -> count[i] = 1);
      assertThat(count).containsOnly(1);
    }
  }

  @Test
  void refusesMisuse() {
    assertThatThrownBy(() -> new Workers(0)).hasMessageContaining("at least 1, found 0");
    Workers workers = new Workers(1);
    assertThatThrownBy(() -> workers.parallelFor(1, (_, _) -> workers.parallelFor(1, (_, _) -> {})))
        .hasMessageContaining("inside a task");
    workers.close();
    workers.close();
    assertThatThrownBy(() -> workers.parallelFor(1, (_, _) -> {})).hasMessageContaining("closed");
  }
}
