package org.rectiflow.study.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.report.StudyReport;

/** A whole study with the trainer, stopped in the middle of a run and resumed. */
class TrainedCellsTest {
  private static final String STUDY =
      """
      title = "Two tiny runs"
      base = "base.toml"
      compare = "model.backbone"
      report = ["ranking", "scores", "training", "attention", "categories", "efficiency"]
      [run]
      batch = 2
      "model.base" = "../testdata/models/shapes"
      "model.depth" = 1
      "model.width" = 64
      "data.samples" = 6
      "data.size" = 32
      "ema.every" = 1
      "validation.every" = 2
      "validation.samples" = 2
      "samples.every" = 0
      "checkpoints.every" = 2
      [axes]
      "model.backbone" = ["dit", "uvit"]
      [evaluation]
      samples = 6
      references = 12
      steps = [1, 2]
      guidance = [1.0, 2.0]
      batch = 4
      """;

  @TempDir Path temp;

  private StudyRun study(String out) throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 5\n");
    Files.writeString(temp.resolve("study.toml"), STUDY);
    StudyPlan plan = StudyPlan.of(StudyFile.read(temp.resolve("study.toml")), StudyPlan.WHOLE);
    return new StudyRun(
        plan,
        temp.resolve(out),
        new TrainedCells(() -> Backends.open("cpu", new BackendProvider.Options(2))));
  }

  private static final StudyRun.Listener QUIET =
      new StudyRun.Listener() {
        @Override
        public void begins(Cell cell) {}

        @Override
        public void ends(RunResult result) {
          assertThat(result.error()).isEmpty();
        }
      };

  private static StudyRun.Outcome work(StudyRun run, BooleanSupplier stop) throws Exception {
    return run.run(1, false, QUIET, Progress.NONE, stop);
  }

  @Test
  void stoppedStudiesEndAsIfNothingHadHappened() throws Exception {
    StudyRun whole = study("whole");
    assertThat(work(whole, () -> false)).isEqualTo(new StudyRun.Outcome(2, 0, 0));

    int rounds = 0;
    StudyRun.Outcome outcome = new StudyRun.Outcome(0, 0, 2);
    // Each round is stopped a little later: in training, in measuring, between runs.
    while (outcome.left() > 0) {
      int limit = 4 + 3 * rounds;
      AtomicInteger asked = new AtomicInteger();
      outcome = work(study("stopped"), () -> asked.getAndIncrement() >= limit);
      rounds++;
    }
    System.out.println("stopped and resumed " + rounds + " times");
    assertThat(rounds).isBetween(3, 40);

    assertThat(tensors(temp.resolve("stopped"))).isEqualTo(tensors(temp.resolve("whole")));
    StudyRun stopped = study("stopped");
    for (RunResult expected : whole.results().all()) {
      RunResult found = stopped.results().find(expected.id()).orElseThrow();
      assertThat(found.samples()).isEqualTo(expected.samples());
      assertThat(found.training().validation()).isEqualTo(expected.training().validation());
      assertThat(found.samples()).hasSize(2 * 3);
      assertThat(found.samples().getFirst().rates()).hasSize(6);
    }
    report(stopped);
  }

  private void report(StudyRun run) throws IOException {
    Path page =
        StudyReport.write(
            StudyPlan.of(StudyFile.read(temp.resolve("study.toml")), StudyPlan.WHOLE),
            run.results(),
            temp.resolve("stopped"));
    assertThat(Files.readString(page)).contains("2 of 2 runs are finished").contains("uvit");
    assertThat(page.resolveSibling("training.svg")).exists();
    assertThat(page.resolveSibling("ranking.csv")).exists();
  }

  /** The bytes of all tensor files of runs, by name. */
  private static Map<String, String> tensors(Path folder) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder.resolve("runs"))) {
      for (Path file :
          files.filter(f -> f.toString().contains("checkpoints/step-00000005")).toList()) {
        if (file.toString().endsWith(".safetensors") && !file.toString().contains("encoder")) {
          contents.put(
              folder.relativize(file).toString(),
              new org.rectiflow.datasets.Fingerprint().add(file).hex());
        }
      }
    }
    assertThat(contents).hasSizeGreaterThanOrEqualTo(4);
    return contents;
  }
}
