package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How a picture's values of 0 to 1 are normalised before an image model sees them: {@code (value -
 * mean) / deviation}, one of each for red, green and blue.
 */
public record PixelNorm(List<Float> mean, List<Float> deviation) {
  /** To -1 to 1, as the autoencoder has its pictures. */
  public static final PixelNorm SYMMETRIC = new PixelNorm(all(0.5f), all(0.5f));

  /** Of OpenAI's and OpenCLIP's models. */
  public static final PixelNorm OPENAI =
      new PixelNorm(
          List.of(0.48145466f, 0.4578275f, 0.40821073f),
          List.of(0.26862954f, 0.26130258f, 0.27577711f));

  public PixelNorm {
    mean = List.copyOf(mean);
    deviation = List.copyOf(deviation);
    if (mean.size() != ClipVisionConfig.CHANNELS
        || deviation.size() != ClipVisionConfig.CHANNELS
        || !deviation.stream().allMatch(d -> d > 0)) {
      throw new IllegalArgumentException(
          "three means and three positive deviations are needed, found %s and %s"
              .formatted(mean, deviation));
    }
  }

  private static List<Float> all(float value) {
    return List.of(value, value, value);
  }

  /**
   * Reads {@code image_mean} and {@code image_std} of a {@code preprocessor_config.json}.
   *
   * @throws org.rectiflow.engine.CheckpointException if it is missing or lacks one
   */
  public static PixelNorm read(Path preprocessorJson) {
    ConfigFile file = ConfigFile.read(preprocessorJson, "how pixels are normalised");
    return new PixelNorm(threeNumbers(file, "image_mean"), threeNumbers(file, "image_std"));
  }

  private static List<Float> threeNumbers(ConfigFile file, String key) {
    List<Float> numbers = new ArrayList<>();
    for (JsonNode entry : file.json().path(key)) {
      numbers.add(entry.floatValue());
    }
    if (numbers.size() != ClipVisionConfig.CHANNELS || !numbers.stream().allMatch(n -> n > 0)) {
      throw file.bad(key, "three positive numbers");
    }
    return numbers;
  }
}
