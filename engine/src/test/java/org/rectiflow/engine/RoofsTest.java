package org.rectiflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.rectiflow.engine.cpu.CpuBackend;

class RoofsTest {
  private final Roofs roofs = new Roofs(100, 10);

  @Test
  void roofIsSlopedThenFlat() {
    assertThat(roofs.attainable(new Cost(2, 1))).isEqualTo(20);
    assertThat(roofs.attainable(new Cost(10, 1))).isEqualTo(100);
    assertThat(roofs.attainable(new Cost(1000, 1))).isEqualTo(100);
    assertThat(roofs.attainable(new Cost(0, 7))).isEqualTo(10);
  }

  @Test
  void shareOfWhatIsAttainable() {
    assertThat(roofs.share(new Cost(1000, 1), 20)).isEqualTo(0.5, within(1e-12));
    assertThat(roofs.share(new Cost(0, 50), 20)).isEqualTo(0.25, within(1e-12));
    assertThat(roofs.share(new Cost(0, 0), 20)).isZero();
    assertThat(roofs.share(new Cost(5, 5), 0)).isZero();
  }

  @Test
  void cpuIsMeasured() {
    try (CpuBackend cpu = new CpuBackend(1)) {
      Roofs measured = cpu.roofs().orElseThrow();
      System.out.println("one thread: " + measured);
      assertThat(measured.gflops()).isBetween(0.5, 1e4);
      assertThat(measured.gigabytesPerSecond()).isBetween(0.1, 1e4);
    }
  }
}
