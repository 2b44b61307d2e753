package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class CeilingsTest {
  private int rounds;
  private double sum;

  /** The first round of a process that is stopped, which is all that the time would allow. */
  @Test
  void standingStillIsNotMeasured() {
    long best =
        Ceilings.best(() -> {
          if (rounds++ == 0) {
            LockSupport.parkNanos(900_000_000);
          }
          for (int i = 0; i < 1000; i++) {
            sum += Math.sin(i);
          }
        });
    System.out.println(rounds + " rounds, the fastest " + best + " ns");
    assertThat(rounds).isGreaterThan(10);
    assertThat(best).isLessThan(100_000_000);
    assertThat(sum).isFinite();
  }
}
