package org.rectiflow.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.cli.Rectiflow;
import org.rectiflow.pipeline.io.Json;
import picocli.CommandLine;

/** What a user sees who scores the model that comes with the program. */
class BundledModelTest {
  /** Well below what 180 prompts gave (docs/training.md): 24 are a small sample. */
  private static final double AT_LEAST = 0.55;

  @TempDir private Path folder;

  @Test
  void drawsWhatItsPromptsAskFor() throws IOException {
    Path prompts = folder.resolve("prompts.txt");
    Path drawn = folder.resolve("drawn");
    Path score = folder.resolve("score.json");
    Files.writeString(prompts, rectiflow("shapes", "--prompts", 4));
    rectiflow(
        "generate", "--prompts", prompts, "--model", "../models/shapes", "--out", drawn, "--quiet");
    System.out.println(rectiflow("score", drawn, "--json", score));
    assertThat(Json.readObject(score).path("overall").asDouble()).isGreaterThan(AT_LEAST);
  }

  private static String rectiflow(Object... words) {
    StringWriter out = new StringWriter();
    CommandLine line = Rectiflow.commandLine().setOut(new PrintWriter(out));
    String[] arguments = new String[words.length];
    for (int i = 0; i < words.length; i++) {
      arguments[i] = words[i].toString();
    }
    assertThat(line.execute(arguments)).as(String.join(" ", arguments)).isZero();
    return out.toString();
  }
}
