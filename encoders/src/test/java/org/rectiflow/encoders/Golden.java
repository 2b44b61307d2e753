package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Tensors and cases of a golden file: what transformers and diffusers compute. */
public final class Golden {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ByteBuffer data;
  private final JsonNode header;
  private final Map<String, JsonNode> cases = new TreeMap<>();

  private Golden(ByteBuffer data, JsonNode header) throws IOException {
    this.data = data;
    this.header = header;
    for (Iterator<String> i = header.path("__metadata__").fieldNames(); i.hasNext(); ) {
      String name = i.next();
      cases.put(name, JSON.readTree(header.path("__metadata__").path(name).textValue()));
    }
  }

  public static Golden read(String name) {
    Path file = Path.of("../testdata/golden", name + ".safetensors");
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      int size = Math.toIntExact(bytes.getLong(0));
      JsonNode header = JSON.readTree(bytes.array(), 8, size);
      return new Golden(
          bytes.slice(8 + size, bytes.capacity() - 8 - size).order(ByteOrder.LITTLE_ENDIAN),
          header);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** The cases by name, each with prompt, negative_prompt, t5_length and more. */
  public Map<String, JsonNode> cases() {
    return cases;
  }

  public boolean has(String tensor) {
    return header.has(tensor);
  }

  public int[] ints(String tensor) {
    int[] values = new int[bytes(tensor, "I32").remaining() / 4];
    bytes(tensor, "I32").asIntBuffer().get(values);
    return values;
  }

  public float[] floats(String tensor) {
    float[] values = new float[bytes(tensor, "F32").remaining() / 4];
    bytes(tensor, "F32").asFloatBuffer().get(values);
    return values;
  }

  private ByteBuffer bytes(String tensor, String type) {
    JsonNode entry = header.path(tensor);
    if (!entry.path("dtype").asText().equals(type)) {
      throw new IllegalArgumentException("no " + type + " tensor " + tensor);
    }
    int from = entry.path("data_offsets").path(0).intValue();
    int to = entry.path("data_offsets").path(1).intValue();
    return data.slice(from, to - from).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The names of prompts: {@code prompt} and {@code negative}, with their texts. */
  public static Map<String, String> texts(JsonNode testCase) {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("prompt", testCase.path("prompt").textValue());
    texts.put("negative", testCase.path("negative_prompt").textValue());
    return texts;
  }
}
