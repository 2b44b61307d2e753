package org.rectiflow.trainer.page;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.trainer.LogEvent;
import org.rectiflow.trainer.RunLog;

/** What a run's log says, by curve. The fields are {@link LogEvent}'s. */
final class RunHistory {
  /** One set of sample pictures. */
  record Samples(long step, List<String> files) {}

  /** A checkpoint that was written. */
  record Written(long step, String folder, boolean best) {}

  private final Map<String, List<Series.Point>> curves = new LinkedHashMap<>();
  private final List<Samples> samples = new ArrayList<>();
  private final List<Written> checkpoints = new ArrayList<>();
  private Optional<JsonNode> run = Optional.empty();
  private long step;
  private double seconds;
  private boolean ended;

  private RunHistory() {}

  /**
   * Reads a log.
   *
   * @throws IOException if it cannot be read
   */
  static RunHistory read(Path log) throws IOException {
    RunHistory history = new RunHistory();
    for (JsonNode line : RunLog.read(log)) {
      history.add(line);
    }
    return history;
  }

  private void add(JsonNode line) {
    step = Math.max(step, line.path("step").asLong());
    switch (line.path("event").asText()) {
      case "run" -> run = Optional.of(line);
      case "train" -> {
        point("loss", line, "loss");
        point("gradientNorm", line, "gradientNorm");
        point("learningRate", line, "learningRate");
        fields("mean ", line.path("means"), line);
      }
      case "speed" -> {
        seconds = line.path("seconds").asDouble();
        point("samplesPerSecond", line, "samplesPerSecond");
        point("heapMegabytes", line, "heapMegabytes");
        point("arenaMegabytes", line, "arenaMegabytes");
      }
      case "validation" -> {
        String weights = line.path("weights").asText();
        point("validation " + weights, line, "loss");
        fields("detail " + weights + " ", line.path("details"), line);
      }
      case "attention" -> {
        list("maxLogit ", line.path("maxLogit"), line);
        list("entropy ", line.path("entropy"), line);
      }
      case "samples" -> {
        List<String> files = new ArrayList<>();
        line.path("files").forEach(file -> files.add(file.asText()));
        samples.add(new Samples(line.path("step").asLong(), files));
      }
      case "checkpoint" ->
          checkpoints.add(
              new Written(
                  line.path("step").asLong(),
                  line.path("folder").asText(),
                  line.path("best").asBoolean()));
      case "end" -> ended = true;
      default -> {
        // A later version's event: nothing to draw.
      }
    }
  }

  private void fields(String prefix, JsonNode object, JsonNode line) {
    object.fieldNames().forEachRemaining(name -> put(prefix + name, line, object.path(name)));
  }

  private void list(String prefix, JsonNode array, JsonNode line) {
    for (int i = 0; i < array.size(); i++) {
      put(prefix + i, line, array.get(i));
    }
  }

  private void point(String curve, JsonNode line, String field) {
    put(curve, line, line.path(field));
  }

  /** Numbers that are not finite stand in the log as text and have no place in a drawing. */
  private void put(String curve, JsonNode line, JsonNode value) {
    if (value.isNumber() && Double.isFinite(value.asDouble())) {
      curves
          .computeIfAbsent(curve, _ -> new ArrayList<>())
          .add(new Series.Point(line.path("step").asDouble(), value.asDouble()));
    }
  }

  List<Series.Point> curve(String name) {
    return curves.getOrDefault(name, List.of());
  }

  /** The rest of the names of all curves that begin with this. */
  List<String> names(String prefix) {
    return curves.keySet().stream()
        .filter(name -> name.startsWith(prefix))
        .map(name -> name.substring(prefix.length()))
        .toList();
  }

  List<Samples> samples() {
    return samples;
  }

  List<Written> checkpoints() {
    return checkpoints;
  }

  /** The log's first line. */
  Optional<JsonNode> run() {
    return run;
  }

  long step() {
    return step;
  }

  double seconds() {
    return seconds;
  }

  boolean ended() {
    return ended;
  }
}
