package org.rectiflow.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.training.AdamW;

/**
 * What a run goes on from: {@code training/state.safetensors} with {@code parameter.NAME}, {@code
 * first.NAME}, {@code second.NAME} and {@code ema.NAME} of every trained tensor, F32, in the
 * model's view of their shape, and {@code training/state.json} with the numbers. There is no state
 * of random generators: all randomness follows from seed and step.
 *
 * @param step steps taken
 * @param bestStep the step with the smallest validation loss so far, or -1
 * @param bestLoss that loss; infinite if there is none
 * @param meter sums since the last line of the log
 */
record TrainingState(long step, long bestStep, double bestLoss, Map<String, Meter.Sum> meter) {
  private static final int FORMAT = 1;
  private static final String FOLDER = "training";
  private static final String TENSORS = "state.safetensors";
  private static final String NUMBERS = "state.json";

  /** Writes a state into a checkpoint's folder. */
  void write(
      Path checkpoint,
      Map<String, Tensor> parameters,
      AdamW optimizer,
      Optional<MovingAverage> average)
      throws IOException {
    Path folder = Files.createDirectory(checkpoint.resolve(FOLDER));
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    parameters.forEach((name, value) -> TensorFiles.add(writer, "parameter." + name, value));
    optimizer
        .moments()
        .forEach((name, moments) -> {
          TensorFiles.add(writer, "first." + name, moments.first());
          TensorFiles.add(writer, "second." + name, moments.second());
        });
    average.ifPresent(ema ->
        ema.values().forEach((name, value) -> TensorFiles.add(writer, "ema." + name, value)));
    writer.write(folder.resolve(TENSORS));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("step", step);
    json.put("optimizer_steps", optimizer.steps());
    json.put("best_step", bestStep);
    json.put("best_loss", bestStep < 0 ? null : bestLoss);
    json.put("meter", meter);
    writeForced(folder.resolve(NUMBERS), Json.pretty(json) + "\n");
  }

  /** On the disk when this returns, as the tensors are. */
  private static void writeForced(Path file, String text) throws IOException {
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
  }

  /**
   * Reads a state into what it was written from.
   *
   * @throws CheckpointException if it belongs to another model or a later version
   */
  static TrainingState read(
      Path checkpoint,
      Map<String, Tensor> parameters,
      AdamW optimizer,
      Optional<MovingAverage> average) {
    Path folder = checkpoint.resolve(FOLDER);
    JsonNode json = Json.readObject(folder.resolve(NUMBERS));
    if (json.path("format").asInt() != FORMAT) {
      throw new CheckpointException(
          "%s has format %s, this version reads %d: it was written by another version"
              .formatted(folder.resolve(NUMBERS), json.path("format"), FORMAT));
    }
    try (TensorSource source = TensorSource.open(folder.resolve(TENSORS))) {
      copy(source, "parameter.", parameters);
      average.ifPresent(ema -> copy(source, "ema.", ema.values()));
      Map<String, AdamW.Moments> moments = new LinkedHashMap<>();
      long steps = json.path("optimizer_steps").asLong();
      if (steps > 0) {
        parameters.forEach((name, value) ->
            moments.put(
                name,
                new AdamW.Moments(
                    tensor(source, "first." + name, value),
                    tensor(source, "second." + name, value))));
      }
      optimizer.restore(steps, moments);
    }
    Map<String, Meter.Sum> meter = new TreeMap<>();
    json.path("meter")
        .properties()
        .forEach(e ->
            meter.put(
                e.getKey(),
                new Meter.Sum(
                    e.getValue().path("total").asDouble(), e.getValue().path("count").asLong())));
    long bestStep = json.path("best_step").asLong();
    return new TrainingState(
        json.path("step").asLong(),
        bestStep,
        bestStep < 0 ? Double.POSITIVE_INFINITY : json.path("best_loss").asDouble(),
        meter);
  }

  private static void copy(TensorSource source, String prefix, Map<String, Tensor> into) {
    into.forEach((name, value) -> {
      float[] stored = tensor(source, prefix + name, value).data();
      System.arraycopy(stored, 0, value.data(), 0, stored.length);
    });
  }

  private static Tensor tensor(TensorSource source, String name, Tensor like) {
    if (!source.tensors().containsKey(name)) {
      throw new CheckpointException(
          "%s has no tensor %s: the run was begun with another model"
              .formatted(source.path(), name));
    }
    Tensor stored = TensorFiles.read(source, name);
    if (!stored.shape().equals(like.shape())) {
      throw new CheckpointException(
          "%s: %s has shape %s, this model's is %s: the run was begun with another model"
              .formatted(source.path(), name, stored.shape(), like.shape()));
    }
    return stored;
  }
}
