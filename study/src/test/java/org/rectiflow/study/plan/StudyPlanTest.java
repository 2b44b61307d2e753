package org.rectiflow.study.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.evaluation.ControlSetting;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.transformer.TransformerKeys;

class StudyPlanTest {
  private static final String STUDY =
      """
      title = "A study"
      base = "base.toml"
      compare = "formulation"
      [run]
      batch = 8
      model.depth = 2
      [axes]
      formulation = ["rf", "v/cos"]
      seed = [0, 1, 2]
      [budget.small]
      run.steps = 5
      axes.seed = [7]
      evaluation.samples = 6
      """;

  @TempDir Path temp;

  private StudyFile study(String text) throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 100\n");
    return StudyFile.parse(temp.resolve("study.toml"), text);
  }

  private StudyPlan plan(String text, String budget) throws IOException {
    return StudyPlan.of(study(text), budget);
  }

  @Test
  void hasARunForEachCombination() throws IOException {
    StudyPlan plan = plan(STUDY, StudyPlan.WHOLE);
    assertThat(plan.cells()).hasSize(6);
    assertThat(plan.cells().get(4).labels()).isEqualTo(Map.of("formulation", "v/cos", "seed", "1"));
    var settings = plan.cells().get(4).settings();
    assertThat(settings.get(TransformerKeys.FORMULATION)).isEqualTo("v/cos");
    assertThat(settings.get(LoopKeys.SEED)).isEqualTo(1);
    assertThat(settings.get(LoopKeys.BATCH)).isEqualTo(8);
    assertThat(settings.get(TransformerKeys.DEPTH)).isEqualTo(2);
    assertThat(settings.get(LoopKeys.STEPS)).isEqualTo(100);
    assertThat(plan.evaluation()).isEqualTo(Evaluation.PAPER);
  }

  @Test
  void budgetsComeOverTheStudy() throws IOException {
    StudyPlan plan = plan(STUDY, "small");
    assertThat(plan.cells()).extracting(c -> c.labels().get("seed")).containsExactly("7", "7");
    assertThat(plan.cells().getFirst().settings().get(LoopKeys.STEPS)).isEqualTo(5);
    assertThat(plan.evaluation().samples()).isEqualTo(6);
    assertThat(plan.evaluation().steps()).isEqualTo(Evaluation.PAPER.steps());
  }

  /** The paper's six samplers, or all combinations. */
  @Test
  void samplersAreThePapers() throws IOException {
    assertThat(Evaluation.PAPER.samplers())
        .containsExactlyInAnyOrderElementsOf(ControlSetting.PAPER_SAMPLERS);
    StudyPlan crossed =
        plan(STUDY + "[evaluation]\ncrossed = true\nsteps = [1, 2]\n", StudyPlan.WHOLE);
    assertThat(crossed.evaluation().samplers()).hasSize(6);
  }

  @Test
  void idsFollowFromSettings() throws IOException {
    List<Cell> cells = plan(STUDY, StudyPlan.WHOLE).cells();
    assertThat(cells.stream().map(Cell::id).distinct()).hasSize(6);
    String more = STUDY.replace("[0, 1, 2]", "[1, 5]");
    assertThat(plan(more, StudyPlan.WHOLE).cells().getFirst().id()).isEqualTo(cells.get(1).id());
    String logged = STUDY.replace("batch = 8", "batch = 8\nlog.every = 3");
    assertThat(plan(logged, StudyPlan.WHOLE).cells().getFirst().id())
        .isEqualTo(cells.getFirst().id());
    String longer = STUDY.replace("batch = 8", "batch = 8\nsteps = 101");
    assertThat(plan(longer, StudyPlan.WHOLE).cells().getFirst().id())
        .isNotEqualTo(cells.getFirst().id());
    assertThat(cells.getFirst().id()).matches("rf_0-[0-9a-f]{10}");
  }

  @Test
  void variantsSetSeveralKeys() throws IOException {
    StudyPlan plan =
        plan(
            """
            title = "Mix"
            base = "base.toml"
            [variants.captions]
            original = { "data.poor_captions" = 1.0 }
            mix = { "data.poor_captions" = 0.5, "data.rich_captions" = 0.5 }
            """,
            StudyPlan.WHOLE);
    assertThat(plan.study().compare()).isEqualTo("captions");
    assertThat(plan.cells())
        .extracting(c -> c.labels().get("captions"))
        .containsExactly("original", "mix");
    assertThat(plan.cells().get(1).settings().values()).containsEntry("data.rich_captions", 0.5);
  }

  @Test
  void preparationsGiveFolders() throws IOException {
    String text =
        """
        title = "Prepared"
        base = "base.toml"
        [run]
        "model.base" = "{first}/model"
        [axes]
        seed = [0]
        [prepare.first]
        base = "base.toml"
        run.steps = %d
        """;
    StudyPlan plan = plan(text.formatted(7), StudyPlan.WHOLE);
    assertThat(plan.preparations().get("first").settings().get(LoopKeys.STEPS)).isEqualTo(7);
    Cell cell = plan.cells().getFirst().resolved(Map.of("first", "/there"));
    assertThat(cell.settings().get(TransformerKeys.BASE)).isEqualTo("/there/model");
    assertThat(cell.id()).isEqualTo(plan.cells().getFirst().id());
    assertThat(plan(text.formatted(8), StudyPlan.WHOLE).cells().getFirst().id())
        .isNotEqualTo(cell.id());
    assertThatThrownBy(() -> plan(text.formatted(7).replace("{first}", "{other}"), StudyPlan.WHOLE))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("study.toml, line 4: model.base: '{other}'")
        .hasMessageContaining("first");
  }

  @Test
  void saysWhatIsWrongAndWhere() {
    refuses(STUDY + "[evalution]\n", "line 14: unknown key evalution; did you mean evaluation?");
    refuses(STUDY.replace("compare = \"f", "compare = \"g"), "line 3", "there is no axis");
    refuses(STUDY.replace("title = \"A study\"", "title = 3"), "line 1: title", "must be a text");
    refuses(
        STUDY.replace("batch = 8", "batch = \"8\""),
        "line 5: batch must be a whole number",
        "found 8");
    refuses(STUDY.replace("batch", "bach"), "line 5: bach is no key", "did you mean batch?");
    refuses(
        STUDY.replace("\"v/cos\"", "\"v/sin\""),
        "study.toml, line 8: formulation must be",
        "'sin' is no path");
    refuses(STUDY.replace("formulation =", "formulations ="), "line 3: compare: there is no axis");
    refuses(
        STUDY.replace("seed = [0", "seeds = [0"),
        "study.toml, line 9: seeds is no key of run files",
        "base.toml; did you mean seed?");
    refuses(
        STUDY + "[variants.size]\nsmall = { \"model.dept\" = 1 }\n",
        "study.toml, line 15: model.dept is no key",
        "did you mean model.depth?");
    refuses(
        STUDY + "[budget.small.run.model]\ndept = 1\n",
        "study.toml, line 15: model.dept is no key");
    refuses(STUDY.replace("[0, 1, 2]", "3"), "line 9: axes.seed must be a list");
    refuses(STUDY.replace("[0, 1, 2]", "[]"), "seed has no values");
    refuses(
        STUDY.replace("samples = 6", "samples = 1"),
        "line 13: budget.small.evaluation.samples: it must be a whole number",
        "found 1");
    refuses(STUDY.replace("[0, 1, 2]", "[0, 1, 0]"), "study.toml, line 9: axes.seed has 0 twice");
    refuses(STUDY + "[evaluation]\nsteps = [5, 0]\n", "line 15: evaluation.steps", "found [5, 0]");
    refuses(STUDY.replace("model.depth = 2", "model.width = 100"), "line 6", "a multiple of 64");
    refuses(
        STUDY.replace("batch = 8", "model.base = \"{towers}\""),
        "'{towers}' names no preparation of the study; there is none");
    refuses(STUDY + "[x\n", "line 14");
    refuses(STUDY.replace("base = \"base.toml\"", ""), "base is missing");
    refuses(
        STUDY.replace("base.toml", "bass.toml"),
        "study.toml: base: there is no run file",
        "bass.toml");
    assertThatThrownBy(() -> plan(STUDY, "large"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("has no budget 'large'; it has [small], and whole");
  }

  private void refuses(String text, String... parts) {
    assertThatThrownBy(() -> plan(text, "small"))
        .isInstanceOf(UserException.class)
        .message()
        .contains(parts);
  }

  static List<Path> shipped() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("studies"))) {
      return files
          .filter(f ->
              f.toString().endsWith(".toml")
                  && !List.of("base.toml", "autoencoder.toml", "towers.toml")
                      .contains(f.getFileName().toString()))
          .sorted()
          .toList();
    }
  }

  /** Every study that comes with the program can be planned under each of its budgets. */
  @ParameterizedTest
  @MethodSource("shipped")
  void shippedStudiesArePlans(Path file) throws IOException {
    StudyFile study = StudyFile.read(file);
    assertThat(study.budgets()).containsKeys("minutes", "hours", "days");
    for (String budget : study.budgets().keySet()) {
      StudyPlan plan = StudyPlan.of(study, budget);
      assertThat(plan.cells()).hasSizeGreaterThan(1);
      assertThat(plan.cells().stream().map(Cell::id)).doesNotHaveDuplicates();
    }
  }
}
