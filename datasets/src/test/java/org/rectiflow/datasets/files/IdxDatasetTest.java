package org.rectiflow.datasets.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxDatasetTest {
  @TempDir private Path folder;
  private Path pictures;
  private Path labels;

  @BeforeEach
  void twoPictures() throws IOException {
    pictures = folder.resolve("images");
    labels = folder.resolve("labels");
    byte[] values = new byte[2 * 4 * 4];
    Arrays.fill(values, 16, 32, (byte) 255);
    Files.write(pictures, idx(8, values, 2, 4, 4));
    Files.write(labels, idx(8, new byte[] {7, 0}, 2));
  }

  private static byte[] idx(int type, byte[] values, int... sizes) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * sizes.length + values.length);
    bytes.put((byte) 0).put((byte) 0).put((byte) type).put((byte) sizes.length);
    Arrays.stream(sizes).forEach(bytes::putInt);
    return bytes.put(values).array();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    }
    return out.toByteArray();
  }

  private IdxDataset open() throws IOException {
    return IdxDataset.open(pictures, labels, IdxDataset.DIGITS, 8);
  }

  @Test
  void picturesHaveTheirClassesAsCaptions() throws IOException {
    IdxDataset data = open();
    assertThat(data.size()).isEqualTo(2);
    assertThat(data.get(0).caption()).isEqualTo("a photo of the digit seven");
    assertThat(data.get(1).caption()).isEqualTo("a photo of the digit zero");
    assertThat(data.get(0).picture().data()).containsOnly(0f);
    assertThat(data.get(1).picture().data()).hasSize(3 * 8 * 8).containsOnly(1f);
    assertThat(IdxDataset.FASHION).hasSize(10);
  }

  @Test
  void gzippedFilesAreTheSame() throws IOException {
    String plain = open().fingerprint();
    Files.write(pictures, gzip(Files.readAllBytes(pictures)));
    Files.write(labels, gzip(Files.readAllBytes(labels)));
    assertThat(open().fingerprint()).isEqualTo(plain);
  }

  @Test
  void badFilesAreRefused() throws IOException {
    byte[] good = Files.readAllBytes(pictures);
    refused(pictures, "hello".getBytes(StandardCharsets.UTF_8), "not an IDX file");
    refused(pictures, new byte[] {0, 0}, "not an IDX file");
    refused(pictures, idx(0x0d, new byte[32], 2, 4, 4), "type 0x0d");
    refused(pictures, idx(8, new byte[2], 2), "has 1 dimensions, expected 3", "mixed up");
    refused(pictures, Arrays.copyOf(good, 10), "ends in its header");
    refused(pictures, Arrays.copyOf(good, 40), "need 32 values, found 24");
    refused(pictures, Arrays.copyOf(good, 49), "need 32 values, found more");
    refused(pictures, idx(8, new byte[0], 2, 1 << 20, 1 << 20), "cannot be");
    refused(pictures, idx(8, new byte[0], -2, 4, 4), "cannot be");
    refused(pictures, Arrays.copyOf(gzip(good), 25), "cut short");
    refused(pictures, idx(8, new byte[48], 3, 4, 4), "3 pictures", "2 labels");
    Files.write(pictures, good);
    refused(labels, idx(8, new byte[] {0, 10}, 2), "example 1 has label 10", "0 to 9");
    Files.delete(labels);
    assertThatThrownBy(this::open).hasMessageContaining("there is no IDX file");
  }

  private void refused(Path file, byte[] content, String... messages) throws IOException {
    Files.write(file, content);
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContainingAll(messages);
  }

  @Test
  void classNamesCanBeOthers() throws IOException {
    List<String> own = IdxDataset.captions("a drawing of a ", DIGIT_NAMES);
    assertThat(IdxDataset.open(pictures, labels, own, 8).get(0).caption())
        .isEqualTo("a drawing of a 7");
  }

  private static final List<String> DIGIT_NAMES =
      List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
}
