package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MmditSizeTest {

  @ParameterizedTest
  @CsvSource({
    "15, 496066624, 496070464",
    "18, 856159552, 856164160",
    "21, 1358950720, 1358956096",
    "22, 1562387264, 1562392896",
    "24, 2028328000, 2028334144",
    "30, 3962392384, 3962400064",
    "38, 8056617792, 8056627520"
  })
  void countsByDepth(int depth, long plain, long withQkNorm) {
    assertThat(MmditSize.paper(depth, false).parameters()).isEqualTo(plain);
    assertThat(MmditSize.paper(depth, true).parameters()).isEqualTo(withQkNorm);
    assertThat(MmditSize.paper(depth, false).hidden()).isEqualTo(64L * depth);
  }

  @Test
  void releasedModels() {
    assertThat(new MmditSize(24, 4096, 2048, 2, 16, true, 13).parameters())
        .isEqualTo(2_243_171_520L);
    assertThat(MmditSize.paper(24, false).positionTable(384)).isEqualTo(226_492_416L);
    // Transformer, positional table and autoencoder in fp16 are the size of sd3_medium.safetensors.
    long bytes =
        2
            * (MmditSize.paper(24, false).parameters()
                + MmditSize.paper(24, false).positionTable(192)
                + 83_819_683L);
    assertThat(bytes).isBetween(4_335_000_000L, 4_345_000_000L);
  }

  @Test
  void closedFormOfTheWeights() {
    MmditSize size = MmditSize.paper(7, false);
    long h = size.hidden();
    long d = 7;
    long weights = 36 * d * h * h - 9 * h * h + h * (256 + 2048 + 4096 + 64 + 64);
    long biases = 30 * d * h - 10 * h + 8 * h + 64;
    assertThat(size.parameters()).isEqualTo(weights + biases);
    assertThat(size.embedderParameters() + size.blockParameters() + size.outputParameters())
        .isEqualTo(size.parameters());
  }

  @Test
  void refusesNoModel() {
    assertThatThrownBy(() -> MmditSize.paper(0, false)).hasMessageContaining("must be positive");
    assertThatThrownBy(() -> new MmditSize(4, 1, 1, 1, 1, false, 5))
        .hasMessageContaining("between 0 and depth 4, found 5");
  }
}
