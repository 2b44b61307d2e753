package org.rectiflow.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.rectiflow.trainer.page.RunPage;

/** What runs of the same file have in common, however often they were stopped. */
public final class RunContents {
  private RunContents() {}

  /**
   * The SHA-256 of every file of a run, by name; of its log the text, but for speed and memory, and
   * for checkpoints, of which interruptions make more. The page, which shows both, is left out.
   */
  public static Map<String, String> of(Path folder) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(file).toString();
        if (name.equals(RunPage.NAME)) {
          continue;
        }
        contents.put(name, name.equals("log.jsonl") ? log(file) : sha256(file));
      }
    }
    return contents;
  }

  /** The SHA-256 of a file. */
  static String sha256(Path file) throws IOException {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String log(Path file) throws IOException {
    StringBuilder text = new StringBuilder();
    for (JsonNode line : RunLog.read(file)) {
      String event = line.path("event").asText();
      if (!Set.of("speed", "memory", "checkpoint").contains(event)) {
        text.append(line).append('\n');
      }
    }
    return text.toString();
  }
}
