package org.rectiflow.pipeline.io;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OutputPlaceTest {
  private static final Path BIG = Path.of("big");

  @Test
  void aDiskWithoutRoomIsRefusedWithTheNumbers() {
    assertThatThrownBy(
            () -> OutputPlace.requireRoom(BIG, 13_700_000_000L, 9_000_000_000L, "Free some space."))
        .isInstanceOf(UserException.class)
        .hasMessage("big needs 13.7 GB, its disk has 9.0 GB free. Free some space.");
    assertThatCode(() -> OutputPlace.requireRoom(BIG, 5, 5, "")).doesNotThrowAnyException();
    // What a network file system without an answer says.
    assertThatCode(() -> OutputPlace.requireRoom(BIG, 5, 0, "")).doesNotThrowAnyException();
    assertThatThrownBy(() -> OutputPlace.requireRoom(BIG, Long.MAX_VALUE, "Name another."))
        .isInstanceOf(UserException.class)
        .hasMessageContainingAll("big needs", "Name another.");
  }

  @Test
  void anOptionThatWasNotGivenNeedsNoPlace() {
    assertThatCode(() -> OutputPlace.requireFile("--csv", null)).doesNotThrowAnyException();
    assertThatCode(() -> OutputPlace.requireFolder("--out", null)).doesNotThrowAnyException();
  }
}
