package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.SafetensorsException.Kind;

class ShardedSafetensorsTest {

  private static final String INDEX = "m.safetensors.index.json";

  @TempDir Path outer;
  private Path folder;

  @BeforeEach
  void twoShards() throws IOException {
    folder = Files.createDirectory(outer.resolve("model"));
    shard("a.safetensors", "x", "y");
    shard("b.safetensors", "z");
  }

  /** A shard of tensors of four bytes. */
  private void shard(String name, String... tensors) {
    StringBuilder header = new StringBuilder("{\"__metadata__\":{\"from\":\"" + name + "\"}");
    for (int i = 0; i < tensors.length; i++) {
      header
          .append(',')
          .append(entry(tensors[i], "F32", "[1]", "[" + 4 * i + "," + 4 * (i + 1) + "]"));
    }
    TestFiles.write(folder, name, file(header.append('}').toString(), 4 * tensors.length));
  }

  private Path index(String json) {
    return TestFiles.write(folder, INDEX, json.getBytes(UTF_8));
  }

  private static String map(String x, String y, String z) {
    return "\"weight_map\":{\"x\":\"%s\",\"y\":\"%s\",\"z\":\"%s\"}".formatted(x, y, z);
  }

  private static final String GOOD = map("a.safetensors", "a.safetensors", "b.safetensors");

  private SafetensorsException refused(String json, Kind kind, String... says) {
    return refused(index(json), kind, says);
  }

  private static SafetensorsException refused(Path index, Kind kind, String... says) {
    SafetensorsException e =
        catchThrowableOfType(SafetensorsException.class, () -> TensorSource.open(index));
    assertThat(e).as("accepted").isNotNull();
    assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
    for (String words : says) {
      assertThat(e).hasMessageContaining(words);
    }
    return e;
  }

  @Test
  void allShardsAreOneSource() {
    try (TensorSource source =
        TensorSource.open(index("{\"metadata\":{\"total_size\":12}," + GOOD + "}"))) {
      assertThat(source.tensors().keySet()).containsExactly("x", "y", "z");
      assertThat(source.fileOf("z")).hasFileName("b.safetensors");
      assertThat(source.files()).hasSize(2);
      assertThat(source.metadata()).containsEntry("from", "a.safetensors");
      assertThat(source.floats("z")).containsExactly(0);
      source.checkIntact();
      assertThatThrownBy(() -> source.data("w"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining(INDEX)
          .hasMessageContaining("\"w\"");
    }
  }

  @Test
  void closingClosesAllShards() {
    TensorSource source = TensorSource.open(index("{" + GOOD + "}"));
    MemorySegment z = source.data("z");
    source.close();
    source.close();
    assertThatThrownBy(() -> z.get(Layouts.BYTE, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(source::tensors).isInstanceOf(SafetensorsException.class);
    assertThatThrownBy(source::metadata).isInstanceOf(SafetensorsException.class);
  }

  @Test
  void aShardCutShortIsReported() throws IOException {
    try (TensorSource source = TensorSource.open(index("{" + GOOD + "}"))) {
      Files.write(folder.resolve("b.safetensors"), new byte[0]);
      SafetensorsException e =
          catchThrowableOfType(SafetensorsException.class, source::checkIntact);
      assertThat(e.kind()).isEqualTo(Kind.FILE_CHANGED);
      assertThat(e).hasMessageContaining("b.safetensors");
      assertThat(source.floats("x")).containsExactly(0);
    }
  }

  @Test
  void otherFieldsArePassedOver() {
    TensorSource.open(
            index(
                "{\"metadata\":{\"total_parameters\":3,\"total_size\":12,\"a\":{\"b\":[1]}},"
                    + "\"note\":[{}],"
                    + GOOD
                    + "}"))
        .close();
    TensorSource.open(index("{\"metadata\":{}," + GOOD + "}")).close();
  }

  @Test
  void aShardInASubfolderIsFound() throws IOException {
    Files.createDirectory(folder.resolve("sub"));
    Files.move(folder.resolve("b.safetensors"), folder.resolve("sub/b.safetensors"));
    TensorSource.open(index("{" + map("a.safetensors", "a.safetensors", "sub/b.safetensors") + "}"))
        .close();
  }

  @Test
  void anAbsentShardIsNamed() throws IOException {
    Files.delete(folder.resolve("b.safetensors"));
    refused("{" + GOOD + "}", Kind.SHARD_MISSING, "\"b.safetensors\"", folder.toString());
  }

  @Test
  void anAbsentIndexIsNamed() {
    refused(folder.resolve("absent.safetensors.index.json"), Kind.NOT_FOUND, "index");
  }

  @Test
  void aMalformedShardIsNamed() {
    TestFiles.write(folder, "b.safetensors", file("{}", 3));
    refused("{" + GOOD + "}", Kind.TRAILING_BYTES, "b.safetensors");
  }

  @Test
  void aTensorNotInItsShardIsNamed() {
    shard("b.safetensors", "w");
    SafetensorsException e = refused("{" + GOOD + "}", Kind.SHARD_LACKS_TENSOR, "b.safetensors");
    assertThat(e.tensor()).contains("z");
  }

  @Test
  void aTensorInAnotherShardIsNamed() {
    SafetensorsException e =
        refused(
            "{" + map("a.safetensors", "b.safetensors", "b.safetensors") + "}",
            Kind.SHARD_LACKS_TENSOR,
            "in \"b.safetensors\"",
            "it is in a.safetensors");
    assertThat(e.tensor()).contains("y");
  }

  @Test
  void aTensorInTwoShardsIsNamed() {
    shard("b.safetensors", "z", "x");
    SafetensorsException e =
        refused("{" + GOOD + "}", Kind.TENSOR_IN_TWO_SHARDS, "a.safetensors", "b.safetensors");
    assertThat(e.tensor()).contains("x");
  }

  @Test
  void aTensorTheIndexDoesNotListIsNamed() {
    shard("b.safetensors", "z", "w");
    SafetensorsException e = refused("{" + GOOD + "}", Kind.TENSOR_NOT_LISTED, "b.safetensors");
    assertThat(e.tensor()).contains("w");
  }

  @Test
  void aWrongTotalSizeIsRefused() {
    refused(
        "{\"metadata\":{\"total_size\":13}," + GOOD + "}",
        Kind.TOTAL_SIZE_MISMATCH,
        "12 bytes",
        "found 13");
  }

  @Test
  void aPathOutOfTheFolderIsRefused() throws IOException {
    Path b = folder.resolve("b.safetensors");
    Path outside = Files.copy(b, outer.resolve("b.safetensors"));
    String a = "a.safetensors";
    refused("{" + map(a, a, outside.toString()) + "}", Kind.SHARD_OUTSIDE, "not relative");
    refused("{" + map(a, a, "../b.safetensors") + "}", Kind.SHARD_OUTSIDE, "climbs out");
    refused("{" + map(a, a, "sub/../b.safetensors") + "}", Kind.SHARD_OUTSIDE, "climbs out");
    refused("{" + map(a, a, "..\\\\b.safetensors") + "}", Kind.SHARD_OUTSIDE, "not relative");
    refused("{" + map(a, a, "") + "}", Kind.SHARD_OUTSIDE, "not relative");
    refused("{" + map(a, a, "b\\u0000") + "}", Kind.SHARD_OUTSIDE, "no file name");
    refused("{" + map(a, a, ".") + "}", Kind.NOT_A_FILE, "a folder");
  }

  @Test
  void aLinkOutOfTheFolderIsRefused() throws IOException {
    Path b = folder.resolve("b.safetensors");
    Path outside = outer.resolve("b.safetensors");
    Files.move(b, outside);
    Files.createSymbolicLink(b, outside);
    refused("{" + GOOD + "}", Kind.SHARD_OUTSIDE, "is a link to", outside.toRealPath().toString());
  }

  @Test
  void aLinkWithinTheFolderIsFollowed() throws IOException {
    Path b = folder.resolve("b.safetensors");
    Files.move(b, folder.resolve("c"));
    Files.createSymbolicLink(b, Path.of("c"));
    TensorSource.open(index("{" + GOOD + "}")).close();
  }

  /** The Hugging Face cache: every file of a snapshot is a link into one folder of blobs. */
  @Test
  void aFolderOfLinksIsFollowedToWhereTheIndexLies() throws IOException {
    index("{" + GOOD + "}");
    Path blobs = Files.move(folder, outer.resolve("blobs"));
    Path snapshot = Files.createDirectories(outer.resolve("snapshots/1"));
    for (String name : new String[] {INDEX, "a.safetensors", "b.safetensors"}) {
      Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs").resolve(name));
    }
    try (TensorSource source = TensorSource.open(snapshot.resolve(INDEX))) {
      assertThat(source.tensors()).hasSize(3);
    }
    Path elsewhere = outer.resolve("b");
    Files.move(blobs.resolve("b.safetensors"), elsewhere);
    Files.createSymbolicLink(blobs.resolve("b.safetensors"), elsewhere);
    refused(snapshot.resolve(INDEX), Kind.SHARD_OUTSIDE, "is a link to");
  }

  @Test
  void anIndexThatIsNoIndexIsRefused() {
    refused("", Kind.INDEX_INVALID, "found nothing");
    refused("hello", Kind.INDEX_INVALID, "not valid JSON");
    refused("[]", Kind.INDEX_INVALID, "expected a JSON object");
    refused("{}", Kind.INDEX_INVALID, "weight_map, found none");
    refused("{\"weight_map\":[]}", Kind.INDEX_INVALID, "weight_map: expected a JSON object");
    refused("{\"weight_map\":{\"x\":1}}", Kind.INDEX_INVALID, "\"x\": expected a file name");
    refused("{" + GOOD + "}{}", Kind.INDEX_INVALID, "text follows");
    refused("{" + GOOD + "," + GOOD + "}", Kind.INDEX_INVALID, "weight_map is there twice");
    refused("{\"weight_map\":{\"x\":\"a\",\"x\":\"a\"}}", Kind.INDEX_INVALID, "\"x\" twice");
    refused("{\"metadata\":1," + GOOD + "}", Kind.INDEX_INVALID, "metadata: expected");
    refused(
        "{\"metadata\":{},\"metadata\":{}," + GOOD + "}", Kind.INDEX_INVALID, "metadata is there");
    for (String size : new String[] {"-1", "1.5", "1e9", "\"12\"", "null", "9".repeat(19), "{}"}) {
      refused(
          "{\"metadata\":{\"total_size\":" + size + "}," + GOOD + "}",
          Kind.INDEX_INVALID,
          "total_size");
    }
    refused(
        "{\"metadata\":{\"total_size\":12,\"total_size\":12}," + GOOD + "}",
        Kind.INDEX_INVALID,
        "total_size twice");
    refused("{\"note\":" + "[".repeat(100_000), Kind.INDEX_INVALID, "not valid JSON");
    refused(
        TestFiles.write(folder, INDEX, "{\"\u00ff\":1}".getBytes(ISO_8859_1)),
        Kind.INDEX_INVALID,
        "UTF-8");
  }
}
