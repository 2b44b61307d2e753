package org.rectiflow.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.CellRunner;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.StudyRun;
import org.rectiflow.study.run.TrainedCells;

class SparkStudyTest {
  private static JavaSparkContext spark;

  @TempDir Path temp;

  @BeforeAll
  static void start() {
    spark =
        new JavaSparkContext(
            new SparkConf()
                .setAppName("test")
                .setMaster("local[2,2]")
                .set("spark.task.maxFailures", "2")
                .set("spark.driver.host", "localhost")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.ui.enabled", "false"));
  }

  @AfterAll
  static void stop() {
    spark.close();
  }

  /** Notes each call in its folder. Seed 1 fails the first time, seed 2 always. */
  private record Flaky() implements CellRunner {
    @Override
    public Path train(Cell cell, Path folder, Progress progress, BooleanSupplier stop) {
      return folder;
    }

    @Override
    public RunResult run(
        Cell cell,
        Path folder,
        Evaluation evaluation,
        int attempts,
        Progress progress,
        BooleanSupplier stop)
        throws IOException {
      Files.createDirectories(folder);
      int call = note(folder);
      String seed = cell.labels().get("seed");
      if ((seed.equals("1") && call == 1) || seed.equals("2")) {
        throw new UserException("no luck with seed " + seed);
      }
      return new RunResult(
          cell.id(),
          cell.labels(),
          RunResult.Status.FINISHED,
          "",
          attempts,
          "",
          new RunResult.Training(1, 1, 1, 1, 1, 1, 1, List.of(), List.of()),
          List.of(new Sampled("ema", 5, 5.0, 0.5, 1, 1, Map.of())));
    }

    private static int note(Path folder) throws IOException {
      for (int i = 1; ; i++) {
        try {
          Files.createFile(folder.resolve("call" + i));
          return i;
        } catch (FileAlreadyExistsException _) {
          // An earlier call's.
        }
      }
    }
  }

  private static final class Heard implements StudyRun.Listener {
    final List<RunResult> results = new ArrayList<>();

    @Override
    public void begins(Cell cell) {}

    @Override
    public void ends(RunResult result) {
      results.add(result);
    }
  }

  private StudyPlan plan(String text) throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 2\n");
    Path file = Files.writeString(temp.resolve("study.toml"), text);
    return StudyPlan.of(StudyFile.read(file), StudyPlan.WHOLE);
  }

  @Test
  void sparkTriesAgainWhatFailed() throws Exception {
    StudyPlan plan = plan("title = \"T\"\nbase = \"base.toml\"\n[axes]\nseed = [0, 1, 2, 3]\n");
    Path out = temp.resolve("out");
    Heard heard = new Heard();
    StudyRun.Outcome outcome = SparkStudy.run(spark, plan, out, Flaky::new, false, heard);
    assertThat(outcome).isEqualTo(new StudyRun.Outcome(3, 1, 0));
    assertThat(heard.results).hasSize(4);
    List<RunResult> results =
        Results.open(StudyRun.resultsFile(out)).all().stream()
            .sorted(Comparator.comparing(r -> r.labels().get("seed")))
            .toList();
    assertThat(results).extracting(RunResult::attempts).containsExactly(1, 2, 2, 1);
    assertThat(results.get(2).finished()).isFalse();
    assertThat(results.get(2).error()).contains("no luck with seed 2");
    assertThat(calls(out)).isEqualTo(1 + 2 + 2 + 1);

    SparkStudy.run(spark, plan, out, Flaky::new, false, heard);
    assertThat(calls(out)).isEqualTo(6);
    SparkStudy.run(spark, plan, out, Flaky::new, true, heard);
    assertThat(calls(out)).isEqualTo(8);
  }

  private static long calls(Path out) throws IOException {
    try (Stream<Path> files = Files.walk(out)) {
      return files.filter(f -> f.getFileName().toString().startsWith("call")).count();
    }
  }

  /** The same results as without Spark. */
  @Test
  void trainsAsTheProgramDoes() throws Exception {
    StudyPlan plan =
        plan(
            """
            title = "Tiny"
            base = "base.toml"
            [run]
            batch = 2
            "model.base" = "%s"
            "model.depth" = 1
            "model.width" = 64
            "data.samples" = 4
            "data.size" = 32
            "ema.every" = 1
            "validation.samples" = 2
            "samples.every" = 0
            [axes]
            seed = [0, 1]
            [evaluation]
            samples = 6
            references = 8
            steps = [1]
            guidance = [1.0]
            weights = ["ema"]
            batch = 6
            """
                .formatted(Path.of("../testdata/models/shapes").toAbsolutePath().normalize()));
    RunnerFactory runners =
        () -> new TrainedCells(() -> Backends.open("cpu", new BackendProvider.Options(1)));
    Path there = temp.resolve("spark");
    assertThat(SparkStudy.run(spark, plan, there, runners, false, new Heard()))
        .isEqualTo(new StudyRun.Outcome(2, 0, 0));
    StudyRun here = new StudyRun(plan, temp.resolve("here"), runners.make());
    here.run(1, false, new Heard(), Progress.NONE, () -> false);
    Results results = Results.open(StudyRun.resultsFile(there));
    for (RunResult expected : here.results().all()) {
      assertThat(results.find(expected.id()).orElseThrow().samples()).isEqualTo(expected.samples());
    }
  }
}
