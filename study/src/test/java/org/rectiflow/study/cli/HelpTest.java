package org.rectiflow.study.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.rectiflow.pipeline.cli.Rectiflow;
import picocli.CommandLine;

/** What all commands say of themselves. */
class HelpTest {
  private static final int WIDTH = 80;

  /** Longer lines are broken by picocli, and what was in columns is not any more. */
  @Test
  void examplesFitATerminal() {
    CommandLine top = Rectiflow.commandLine();
    assertThat(top.getSubcommands()).containsKeys("generate", "train", "ablate", "paper", "score");
    Stream.concat(Stream.of(top), top.getSubcommands().values().stream())
        .flatMap(command -> Stream.of(command.getCommandSpec().usageMessage().footer()))
        .filter(line -> line.startsWith("  "))
        .forEach(line -> assertThat(line).hasSizeLessThanOrEqualTo(WIDTH));
  }
}
