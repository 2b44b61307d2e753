package org.rectiflow.pipeline.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;

class MemoryNeedTest {
  private static final long GB = 1_000_000_000;
  private static final Map<Part, Long> WEIGHTS =
      Map.of(Part.TRANSFORMER, 4 * GB, Part.T5, 95 * GB / 10);

  private static MachineMemory machine(long available) {
    return new MachineMemory(available + 2 * GB, available, 6 * GB, "the machine");
  }

  private static MemoryNeed need(long decoding, Optional<Long> tiled) {
    return new MemoryNeed(WEIGHTS, GB / 5, GB, decoding, tiled, GB / 10, GB / 2);
  }

  @Test
  void stagesFollowEachOtherSoTheLargestCounts() {
    assertThat(need(2 * GB, Optional.empty()).activations()).isEqualTo(3 * GB);
    assertThat(new MemoryNeed(WEIGHTS, 7 * GB, GB, GB, Optional.empty(), 0, 0).activations())
        .isEqualTo(7 * GB);
    assertThat(need(2 * GB, Optional.empty()).line(machine(20 * GB)))
        .isEqualTo(
            "memory: weights 13.5 GB mapped (transformer 4.0 GB, T5 9.5 GB), activations 3.0 GB, heap 100.0 MB, Java 500.0 MB; the machine has 20.0 GB available");
  }

  @Test
  void whatFitsPassesAndSlowOnesWarn() {
    MemoryNeed need = need(2 * GB, Optional.empty());
    assertThatCode(() -> need.require(machine(24 * GB))).doesNotThrowAnyException();
    assertThat(need.warning(machine(24 * GB))).isEmpty();
    assertThatCode(() -> need.require(machine(8 * GB))).doesNotThrowAnyException();
    assertThat(need.warning(machine(8 * GB)).orElseThrow())
        .contains("13.1 GB together", "8.0 GB available", "slow", "--no-t5 (9.5 GB of weights)");
  }

  @Test
  void whatCannotFitIsRefusedWithNumbersAndRemedies() {
    MemoryNeed need = need(12 * GB, Optional.of(2 * GB));
    assertThatThrownBy(() -> need.require(machine(10 * GB)))
        .isInstanceOf(UserException.class)
        .hasMessageContainingAll(
            "this cannot fit: it needs 13.",
            "transformer 1.0 GB",
            "autoencoder 12.0 GB",
            "10.0 GB available of 12.0 GB",
            "--no-t5",
            "--tile 64 (2.0 GB instead of 12.0 GB)",
            "--size",
            "--force-memory");
  }

  @Test
  void aHeapThatIsTooSmallIsRefusedWithTheOption() {
    MemoryNeed need = new MemoryNeed(WEIGHTS, 0, GB, GB, Optional.empty(), 7 * GB, 0);
    assertThatThrownBy(() -> need.require(machine(30 * GB)))
        .isInstanceOf(UserException.class)
        .hasMessageContainingAll("7.0 GB of Java heap", "6.0 GB", "-Xmx", "--size");
  }
}
