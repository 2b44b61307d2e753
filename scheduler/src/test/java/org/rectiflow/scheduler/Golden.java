package org.rectiflow.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads the golden files of the repository. */
public final class Golden {

  public static final Path FOLDER = Path.of("..", "testdata", "golden");
  private static final ObjectMapper JSON = new ObjectMapper();

  private Golden() {}

  /** A float32 tensor of a golden file with the metadata of its case. */
  @SuppressWarnings("ArrayRecordComponent") // Read once, never compared.
  record Tensor(String name, JsonNode caseMetadata, float[] values) {}

  public static JsonNode json(String file) throws IOException {
    return JSON.readTree(FOLDER.resolve(file).toFile());
  }

  public static float[] floats(JsonNode array) {
    float[] out = new float[array.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) array.get(i).asDouble();
    }
    return out;
  }

  public static List<Double> doubles(JsonNode array) {
    List<Double> out = new ArrayList<>();
    array.forEach(value -> out.add(value.asDouble()));
    return out;
  }

  /** The float32 tensors named {@code CASE.suffix} of a safetensors file. */
  static List<Tensor> tensors(Path file, String suffix) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int headerLength = Math.toIntExact(bytes.getLong());
    byte[] header = new byte[headerLength];
    bytes.get(header);
    JsonNode entries = JSON.readTree(new String(header, StandardCharsets.UTF_8));
    JsonNode metadata = entries.path("__metadata__");
    List<Tensor> out = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : entries.properties()) {
      int dot = entry.getKey().indexOf('.');
      if (dot > 0 && entry.getKey().substring(dot + 1).equals(suffix)) {
        long begin = entry.getValue().get("data_offsets").get(0).asLong();
        long end = entry.getValue().get("data_offsets").get(1).asLong();
        float[] values = new float[Math.toIntExact((end - begin) / Float.BYTES)];
        bytes.position(Math.toIntExact(8 + headerLength + begin));
        bytes.asFloatBuffer().get(values);
        String text = metadata.path(entry.getKey().substring(0, dot)).asText();
        out.add(new Tensor(entry.getKey(), JSON.readTree(text), values));
      }
    }
    return out;
  }

  public static double largestDifference(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new AssertionError("Length " + actual.length + ", expected " + expected.length + ".");
    }
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      double difference = Math.abs((double) actual[i] - expected[i]);
      largest = difference <= largest ? largest : difference;
    }
    return largest;
  }
}
