package org.rectiflow.trainer.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.io.UserException;

class RunFileTest {
  private static final Key<Long> STEPS = Key.required("steps", Kind.whole(1), "How many.");
  private static final Key<Double> RATE =
      Key.of("optimizer.learning_rate", Kind.number(0, 1), 0.5, "How fast.");
  private static final Key<Boolean> NORM = Key.of("model.qk_norm", Kind.bool(), true, "Norms.");
  private static final Key<List<String>> PROMPTS =
      Key.of("samples.prompts", Kind.listOf(Kind.text()), List.of("a"), "Texts.");
  private static final Key<String> INIT =
      Key.of("model.init", Kind.oneOf(List.of("dit", "torch")), "dit", "Start.");
  private static final List<Key<?>> KEYS = List.of(STEPS, RATE, NORM, PROMPTS, INIT);

  private static Settings settings(String text) {
    return RunFile.parse("run.toml", text).settings(KEYS);
  }

  private static void refuses(String text, String... parts) {
    var thrown = assertThatThrownBy(() -> settings(text)).isInstanceOf(UserException.class);
    for (String part : parts) {
      thrown.hasMessageContaining(part);
    }
  }

  @Test
  void readsValuesAndDefaults() {
    Settings s =
        settings("steps = 3\n[optimizer]\nlearning_rate = 1\n[samples]\nprompts = ['x', 'y']\n");
    assertThat(s.get(STEPS)).isEqualTo(3);
    assertThat(s.get(RATE)).isEqualTo(1.0);
    assertThat(s.get(NORM)).isTrue();
    assertThat(s.get(PROMPTS)).containsExactly("x", "y");
    assertThat(s.values().keySet())
        .containsExactly(
            "steps", "optimizer.learning_rate", "model.qk_norm", "samples.prompts", "model.init");
    assertThat(s.problem(RATE, "no").getMessage())
        .isEqualTo("run.toml, line 3: optimizer.learning_rate: no");
    assertThat(s.problem(NORM, "no").getMessage()).isEqualTo("run.toml: model.qk_norm: no");
    assertThat(settings("steps = 3\noptimizer.learning_rate = 1e-15").get(RATE)).isEqualTo(1e-15);
  }

  @Test
  void namesTheLineOfAnUnknownKeyAndTheNearest() {
    refuses(
        "steps = 3\n\n[optimizer]\nlearning_rat = 1",
        "run.toml, line 4: unknown key optimizer.learning_rat; did you mean optimizer.learning_rate?");
    refuses("steps = 3\nqk_norm = true", "line 2: unknown key qk_norm", "model.qk_norm?");
    refuses("steps = 3\nzebra = 1", "line 2: unknown key zebra", "--explain");
    refuses("steps = 3\n[zebra]", "line 2: unknown key zebra");
    refuses("steps = 3\n[[model]]\ninit = 'dit'", "unknown key model");
  }

  @Test
  void namesTheLineOfAValueOfTheWrongKind() {
    refuses("steps = 0", "line 1: steps must be a whole number of at least 1, found 0");
    refuses("steps = 1.5", "line 1: steps must be a whole number of at least 1, found 1.5");
    refuses(
        "steps = 3\noptimizer.learning_rate = 'fast'",
        "line 2: optimizer.learning_rate must be a number from 0.0 to 1.0, found \"fast\"");
    refuses("steps = 3\noptimizer.learning_rate = nan", "line 2: optimizer.learning_rate");
    refuses("steps = 3\n[model]\nqk_norm = 1", "line 3: model.qk_norm must be true or false");
    refuses("steps = 3\n[model]\ninit = 'xavier'", "one of dit, torch, found \"xavier\"");
    refuses("steps = 3\n[samples]\nprompts = ['a', 1]", "line 3: samples.prompts must be a list");
    refuses("steps = 3\noptimizer = 3", "line 2: unknown key optimizer");
    refuses("", "run.toml: steps is missing; it must be a whole number of at least 1");
  }

  @Test
  void namesTheLineOfWhatIsNoToml() {
    refuses("steps = 3\n[optimizer\n", "run.toml, line 2");
    refuses("steps = 3\nsteps = 4\n", "run.toml, line 2");
    assertThatThrownBy(() -> RunFile.read(Path.of("none.toml")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("none.toml: no such file");
  }

  @Test
  void aFileThatIsNoTextIsNamed(@TempDir Path folder) throws IOException {
    Path file = Files.write(folder.resolve("model.safetensors"), new byte[] {(byte) 0xff, 0});
    assertThatThrownBy(() -> RunFile.read(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file + " is no text in UTF-8; expected a run file in TOML");
  }
}
