package org.rectiflow.study.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.UserException;

/**
 * The one results file of a study, {@code results.jsonl}: one {@link RunResult} a line, in the
 * order runs ended. It is written anew, whole, after each run. Safe for use by several threads.
 */
public final class Results {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private final Path file;
  private final Map<String, RunResult> byId = new LinkedHashMap<>();

  private Results(Path file) {
    this.file = file;
  }

  /**
   * Reads the file if there is one.
   *
   * @throws UserException if a line is no result; the message names it
   */
  public static Results open(Path file) throws IOException {
    Results results = new Results(file);
    if (Files.exists(file)) {
      int number = 0;
      for (String line : Files.readAllLines(file)) {
        number++;
        RunResult result = parse(line, file + ", line " + number);
        results.byId.put(result.id(), result);
      }
    }
    return results;
  }

  /**
   * A result from a line.
   *
   * @param origin for messages
   */
  public static RunResult parse(String line, String origin) {
    try {
      return MAPPER.readValue(line, RunResult.class);
    } catch (JsonProcessingException e) {
      throw new UserException(
          "%s is no result of a run: %s. Remove the line, and the run is measured again."
              .formatted(origin, e.getOriginalMessage()),
          e);
    }
  }

  /** A result as a line. */
  public static String print(RunResult result) {
    try {
      return MAPPER.writeValueAsString(result);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The result of a run, if it ended. */
  public synchronized Optional<RunResult> find(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  /** All of them in the order they ended. */
  public synchronized List<RunResult> all() {
    return List.copyOf(byId.values());
  }

  /** Adds a result, or puts it in the place of the run's earlier one, and writes the file. */
  public synchronized void put(RunResult result) throws IOException {
    byId.remove(result.id());
    byId.put(result.id(), result);
    StringBuilder text = new StringBuilder();
    byId.values().forEach(one -> text.append(print(one)).append('\n'));
    AtomicFiles.write(file, temporary -> Files.writeString(temporary, text));
  }
}
