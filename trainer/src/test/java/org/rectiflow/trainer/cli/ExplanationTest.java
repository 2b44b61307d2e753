package org.rectiflow.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;

class ExplanationTest {
  private static List<Key<?>> keys(TaskFactory factory) {
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.addAll(factory.keys());
    return keys;
  }

  @Test
  void isARunFileOfDefaultsItself() {
    for (TaskFactory factory : TaskFactory.all()) {
      String text = Explanation.of(factory).replace("= # required", "= 3");
      List<Key<?>> keys = keys(factory);
      Settings explained = RunFile.parse("explained", text).settings(keys);
      String least = "task = \"%s\"\nsteps = 3".formatted(factory.name());
      Settings defaults = RunFile.parse("defaults", least).settings(keys);
      assertThat(explained.values()).isEqualTo(defaults.values());
      assertThat(explained.places()).hasSize(keys.size());
    }
  }

  @Test
  void theExamplesAreRunFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("examples"))) {
      for (Path file : files.toList()) {
        RunFile run = RunFile.read(file);
        String task = run.peek(LoopKeys.TASK);
        TaskFactory factory =
            TaskFactory.all().stream().filter(f -> f.name().equals(task)).findFirst().orElseThrow();
        assertThat(run.settings(keys(factory)).values()).isNotEmpty();
      }
    }
  }

  @Test
  void theReferenceExampleNamesEveryKeyWithItsDefault() throws IOException {
    // What is commented out is put back in.
    String text =
        Files.readString(Path.of("examples/shapes.toml")).replaceAll("(?m)^# (\\w+ = )", "$1");
    TaskFactory factory =
        TaskFactory.all().stream()
            .filter(f -> f.name().equals("transformer"))
            .findFirst()
            .orElseThrow();
    Settings settings = RunFile.parse("shapes.toml", text).settings(keys(factory));
    for (Key<?> key : keys(factory)) {
      assertThat(settings.says(key)).as(key.name()).isTrue();
    }
    Settings said = RunFile.read(Path.of("examples/shapes.toml")).settings(keys(factory));
    assertThat(settings.values()).isEqualTo(said.values());
  }
}
