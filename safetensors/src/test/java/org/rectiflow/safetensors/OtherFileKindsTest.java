package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Files people mistake for safetensors files are recognised, and the message says what to do. */
class OtherFileKindsTest {

  /** A file of another kind; {@code says} must be in the message. */
  @SuppressWarnings("ArrayRecordComponent")
  record Case(String name, byte[] bytes, Kind kind, List<String> says) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case other(String name, String latin1, Kind kind, String... says) {
    return new Case(name, latin1.getBytes(ISO_8859_1), kind, List.of(says));
  }

  static List<Case> others() {
    String page = "<!DOCTYPE html>\n<html><head><title>403</title></head></html>";
    return List.of(
        other(
            "git-lfs pointer",
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 4337667306\n",
            Kind.GIT_LFS_POINTER,
            "git-lfs pointer",
            "git lfs pull"),
        other("web page", page, Kind.HTML_PAGE, "web page", "download again"),
        other("web page after line breaks", "\n\n" + page, Kind.HTML_PAGE, "web page"),
        other("web page in lower case", "<html lang=en>", Kind.HTML_PAGE, "web page"),
        other(
            "XML error of a store", "<?xml version=\"1.0\"?><Error/>", Kind.HTML_PAGE, "web page"),
        other(
            "zip as torch.save writes",
            "PK\3\4\0\0\10\10\0\0" + "\0".repeat(100),
            Kind.ZIP_ARCHIVE,
            "zip archive",
            "save_file"),
        other(
            "zip with the smallest header length possible",
            "PK\3\4\0\0\0\0" + "\0".repeat(100),
            Kind.ZIP_ARCHIVE,
            "zip archive"),
        other("empty zip", "PK\5\6" + "\0".repeat(18), Kind.ZIP_ARCHIVE, "zip archive"),
        other(
            "pickle of old torch.save",
            "\u0080\2\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.",
            Kind.PICKLE,
            "pickle",
            "save_file"),
        other("pickle of protocol 4", "\u0080\4\u0095\u001a\0\0\0\0\0\0\0}", Kind.PICKLE, "pickle"),
        other("GGUF", "GGUF\3\0\0\0" + "\1".repeat(40), Kind.GGUF, "GGUF", ".safetensors version"),
        other("short GGUF", "GGUF", Kind.GGUF, "GGUF"),
        other(
            "an index of shards under a wrong name",
            "{\n  \"metadata\": {},\n  \"weight_map\": {}\n}",
            Kind.TEXT_FILE,
            "JSON text",
            ".safetensors.index.json"),
        other(
            "a server's answer",
            "Access to model stabilityai/stable-diffusion-3 is restricted.",
            Kind.TEXT_FILE,
            "\"Access to model",
            "Download"),
        other("a word", "error", Kind.TEXT_FILE, "\"error\""));
  }

  @TempDir Path folder;

  @ParameterizedTest
  @MethodSource("others")
  void isRecognised(Case other) {
    Path path = TestFiles.write(folder, "model.safetensors", other.bytes());
    SafetensorsException e = refused(path, other.kind());
    assertThat(e.getMessage()).contains(other.says());
  }

  /** A broken file whose header length happens to start like a pickle is still a broken file. */
  @Test
  void aHeaderLengthIsNotMistakenForAPickle() {
    byte[] header = new byte[0x280];
    Arrays.fill(header, (byte) ' ');
    header[0] = '{';
    byte[] bytes = TestFiles.file(header, new byte[0]);
    assertThat(bytes[0]).isEqualTo((byte) 0x80);
    refused(TestFiles.write(folder, "a", bytes), Kind.HEADER_NOT_JSON);
    refused(TestFiles.write(folder, "b", Arrays.copyOf(bytes, 9)), Kind.HEADER_BEYOND_FILE);
    refused(TestFiles.write(folder, "c", Arrays.copyOf(bytes, 8)), Kind.HEADER_BEYOND_FILE);
    header[1] = '}';
    SafetensorsFile.open(TestFiles.write(folder, "d", TestFiles.file(header, new byte[0]))).close();
  }

  @Test
  void aMissingFileIsNamed() {
    Path path = folder.resolve("absent.safetensors");
    assertThat(refused(path, Kind.NOT_FOUND)).hasMessageContaining("no such file");
  }

  @Test
  void aBrokenLinkIsNamed() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("a"), folder.resolve("absent"));
    assertThat(refused(link, Kind.NOT_FOUND)).hasMessageContaining("link");
  }

  @Test
  void aFolderIsRefused() {
    assertThat(refused(folder, Kind.NOT_A_FILE)).hasMessageContaining("found a folder");
  }

  /** Opening a pipe waits for a writer: it must be refused before. */
  @Test
  @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aPipeIsRefused() throws Exception {
    Path pipe = folder.resolve("pipe");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "no mkfifo here");
    Process process = new ProcessBuilder("/usr/bin/mkfifo", pipe.toString()).start();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(refused(pipe, Kind.NOT_A_FILE)).hasMessageContaining("pipe");
  }

  @Test
  void anIndexOfAnotherKindIsRecognised() {
    Path path =
        TestFiles.write(
            folder, "m.safetensors.index.json", "version https://git-lfs.".getBytes(UTF_8));
    refused(path, Kind.GIT_LFS_POINTER);
  }

  private static SafetensorsException refused(Path path, Kind kind) {
    SafetensorsException e =
        catchThrowableOfType(SafetensorsException.class, () -> TensorSource.open(path));
    assertThat(e).isNotNull();
    assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
    assertThat(e).hasMessageStartingWith(path.toString());
    return e;
  }
}
