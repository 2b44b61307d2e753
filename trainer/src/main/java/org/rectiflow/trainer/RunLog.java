package org.rectiflow.trainer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.pipeline.io.AtomicFiles;

/**
 * The log of a run: {@link LogEvent}s, one a line, each on the disk before the run goes on. A run
 * that goes on from a checkpoint begins by cutting off what was logged after it.
 */
public final class RunLog implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path file;
  private final Writer out;
  private final double secondsBefore;

  private RunLog(Path file, Writer out, double secondsBefore) {
    this.file = file;
    this.out = out;
    this.secondsBefore = secondsBefore;
  }

  /**
   * Opens a log for writing.
   *
   * @param step the checkpoint's that the run goes on from, or -1 for a run from the beginning
   */
  static RunLog open(Path file, long step) throws IOException {
    List<JsonNode> kept = new ArrayList<>();
    if (step >= 0 && Files.exists(file)) {
      for (JsonNode line : read(file)) {
        boolean later = line.path("step").asLong() > step;
        // The checkpoint's own line comes after the checkpoint and is written again.
        boolean itself =
            line.path("step").asLong() == step
                && (line.path("event").asText().equals("checkpoint")
                    || line.path("event").asText().equals("end"));
        if (!later && !itself) {
          kept.add(line);
        }
      }
    }
    StringBuilder text = new StringBuilder();
    double seconds = 0;
    for (JsonNode line : kept) {
      text.append(line).append('\n');
      seconds = line.path("seconds").asDouble(seconds);
    }
    AtomicFiles.write(file, temporary -> Files.writeString(temporary, text));
    Writer out = Files.newBufferedWriter(file, StandardCharsets.UTF_8, StandardOpenOption.APPEND);
    return new RunLog(file, out, seconds);
  }

  /**
   * The lines of a log. The last one is left out if it was cut short: the run may be under way, or
   * was killed.
   *
   * @throws IOException if the file cannot be read or another line is no JSON
   */
  public static List<JsonNode> read(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    String text = Files.readString(file);
    int number = 0;
    for (int from = 0; from < text.length(); ) {
      int end = text.indexOf('\n', from);
      if (end < 0) {
        break;
      }
      number++;
      try {
        lines.add(MAPPER.readTree(text.substring(from, end)));
      } catch (JsonProcessingException e) {
        throw new IOException(
            "%s, line %d is no JSON: %s".formatted(file, number, e.getOriginalMessage()), e);
      }
      from = end + 1;
    }
    return lines;
  }

  /** What the run had taken before it was opened. */
  double secondsBefore() {
    return secondsBefore;
  }

  void write(LogEvent event) throws IOException {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("event", event.event());
    json.setAll((ObjectNode) MAPPER.valueToTree(event));
    try {
      out.write(json + "\n");
      out.flush();
    } catch (IOException e) {
      throw new IOException(
          "cannot write %s: %s. Make room; `--resume` goes on from the last checkpoint."
              .formatted(file, e.getMessage()),
          e);
    }
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
