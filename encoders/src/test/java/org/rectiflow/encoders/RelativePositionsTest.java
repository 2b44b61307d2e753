package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RelativePositionsTest {

  /** Values of transformers' T5Attention for 32 buckets and distance 128. */
  @ParameterizedTest
  @CsvSource({
    "-200, 15",
    "-64, 14",
    "-32, 12",
    "-16, 10",
    "-8, 8",
    "-7, 7",
    "-1, 1",
    "0, 0",
    "1, 17",
    "8, 24",
    "16, 26",
    "64, 30",
    "200, 31"
  })
  void bucketsOfT5(int relative, int bucket) {
    assertThat(RelativePositions.bucket(relative, 32, 128)).isEqualTo(bucket);
  }

  @Test
  void rowsAreQueries() {
    assertThat(RelativePositions.table(3, 32, 128).data())
        .containsExactly(0, 17, 18, 1, 0, 17, 2, 1, 0);
  }
}
