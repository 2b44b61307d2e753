package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.rectiflow.encoders.Prompts;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** The options that say what pictures show, and what guidance leads away from. */
final class PromptOptions {
  @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "What the picture shows.")
  private String prompt;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Draw a picture of every line of a file; the seeds go on from line to line.")
  private Path promptFile;

  @Option(names = "--prompt-2", paramLabel = "TEXT", description = "Another prompt for CLIP-G.")
  private String prompt2;

  @Option(names = "--prompt-3", paramLabel = "TEXT", description = "Another prompt for T5.")
  private String prompt3;

  @Option(
      names = "--negative",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What guidance leads away from; default: nothing.")
  private String negative;

  @Option(names = "--negative-2", paramLabel = "TEXT", description = "The same for CLIP-G.")
  private String negative2;

  @Option(names = "--negative-3", paramLabel = "TEXT", description = "The same for T5.")
  private String negative3;

  /**
   * The texts to draw, each for CLIP-L and for the encoders that have no text of their own.
   *
   * @param command for the message if there is none, or one in two ways
   */
  List<String> texts(CommandLine command) throws IOException {
    if ((prompt == null) == (promptFile == null)) {
      throw new ParameterException(
          command,
          prompt == null
              ? "Missing: a PROMPT in quotes, or --prompts with a file of prompts"
              : "Give either a PROMPT or --prompts, not both");
    }
    return prompt != null ? List.of(prompt) : PromptLines.read(promptFile);
  }

  /** What each encoder is given for one of the texts. */
  Prompts prompts(String text) {
    return prompts(text, prompt2, prompt3);
  }

  /** What guidance leads away from. */
  Prompts negative() {
    return prompts(negative, negative2, negative3);
  }

  private static Prompts prompts(String first, String second, String third) {
    return new Prompts(first, second == null ? first : second, third == null ? first : third);
  }
}
