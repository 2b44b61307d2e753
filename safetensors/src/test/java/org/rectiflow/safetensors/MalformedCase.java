package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.nio.file.Path;
import java.util.List;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * One wrong file.
 *
 * @param tensor the tensor the error must name, or null
 * @param says what the message must contain
 */
@SuppressWarnings("ArrayRecordComponent")
record MalformedCase(String name, byte[] bytes, Kind kind, String tensor, List<String> says) {

  /** A good entry over 16 bytes of data. */
  static final String X = entry("x", "F32", "[4]", "[0,16]");

  static MalformedCase wrong(String name, byte[] bytes, Kind kind, String tensor, String... says) {
    return new MalformedCase(name, bytes, kind, tensor, List.of(says));
  }

  /** A wrong header over 16 bytes of data. */
  static MalformedCase header(
      String name, String header, Kind kind, String tensor, String... says) {
    return wrong(name, file(header, 16), kind, tensor, says);
  }

  /** A wrong entry "x" over 16 bytes of data. */
  static MalformedCase entryOf(String name, String fields, Kind kind, String... says) {
    return header(name, "{\"x\":" + fields + "}", kind, "x", says);
  }

  /** Checks that opening such a file fails as it should, and returns the message. */
  String isRefused(Path folder) {
    Path path = TestFiles.write(folder, "model.safetensors", bytes);
    SafetensorsException e =
        catchThrowableOfType(SafetensorsException.class, () -> SafetensorsFile.open(path));
    assertThat(e).as("accepted against the rules").isNotNull();
    assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
    assertThat(e.tensor().orElse(null)).isEqualTo(tensor);
    assertThat(e.file()).isEqualTo(path);
    assertThat(e).hasMessageStartingWith(path + ": ").hasMessageEndingWith(".");
    says.forEach(words -> assertThat(e).hasMessageContaining(words));
    assertThat(e.getMessage()).hasSizeLessThan(1000);
    assertThat(e.getMessage().chars()).noneMatch(Character::isISOControl);
    return e.getMessage();
  }

  @Override
  public String toString() {
    return name;
  }
}
