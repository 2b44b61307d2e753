package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.safetensors.Integers;
import org.rectiflow.safetensors.TensorSource;

/** Tensors and cases of a golden file: what transformers and diffusers compute. */
public final class Golden implements AutoCloseable {
  /** {@code max|a-b| / max|b|} allowed for everything up to the prompt embedding. */
  private static final double TOLERANCE = 1e-4;

  private final String name;
  private final TensorSource tensors;

  private Golden(String name, TensorSource tensors) {
    this.name = name;
    this.tensors = tensors;
  }

  public static Golden open(String name) {
    return new Golden(
        name, TensorSource.open(Path.of("../testdata/golden", name + ".safetensors")));
  }

  /** The cases by name, each with prompt, negative_prompt, t5_length and more. */
  public Map<String, JsonNode> cases() throws JsonProcessingException {
    Map<String, JsonNode> cases = new TreeMap<>();
    for (Map.Entry<String, String> entry : tensors.metadata().entrySet()) {
      cases.put(entry.getKey(), new ObjectMapper().readTree(entry.getValue()));
    }
    return cases;
  }

  /** A case's prompt and negative prompt, under the names {@code prompt} and {@code negative}. */
  public static Map<String, String> texts(JsonNode testCase) {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("prompt", testCase.path("prompt").textValue());
    texts.put("negative", testCase.path("negative_prompt").textValue());
    return texts;
  }

  public boolean has(String tensor) {
    return tensors.tensors().containsKey(tensor);
  }

  public Shape shape(String tensor) {
    return Shape.of(tensors.info(tensor).shape().stream().mapToInt(Math::toIntExact).toArray());
  }

  public int[] ints(String tensor) {
    long[] values = Integers.read(tensors.data(tensor), tensors.info(tensor).dtype());
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  /** Checks {@code actual} against the tensor and prints the largest difference. */
  public void check(String tensor, Tensor actual) {
    assertThat(actual.shape()).as(tensor).isEqualTo(shape(tensor));
    float[] expected = tensors.floats(tensor);
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference = Math.max(difference, Math.abs((double) actual.data()[i] - expected[i]));
      size = Math.max(size, Math.abs(expected[i]));
    }
    System.out.printf("%s %s: %.1e%n", name, tensor, difference / size);
    assertThat(difference / size).as(tensor).isLessThan(TOLERANCE);
  }

  @Override
  public void close() {
    tensors.close();
  }
}
