package org.rectiflow.study.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.measure.StoppedException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;

class StudyRunTest {
  private static final BooleanSupplier NEVER = () -> false;

  @TempDir Path temp;

  /** Runs that end at once, but for those that are told to fail. */
  private static class Runs implements CellRunner {
    final ConcurrentLinkedQueue<String> done = new ConcurrentLinkedQueue<>();
    final Set<String> failing = ConcurrentHashMap.newKeySet();

    @Override
    public Path train(Cell cell, Path folder, Progress progress, BooleanSupplier stop) {
      done.add(cell.labels().get("prepare"));
      return folder.resolve("checkpoint");
    }

    @Override
    public RunResult run(
        Cell cell,
        Path folder,
        Evaluation evaluation,
        int attempts,
        Progress progress,
        BooleanSupplier stop)
        throws IOException, StoppedException {
      String seed = cell.labels().get("seed");
      if (failing.contains(seed)) {
        throw new UserException("the loss is not finite");
      }
      done.add(seed);
      return result(cell, attempts);
    }
  }

  private static RunResult result(Cell cell, int attempts) {
    return new RunResult(
        cell.id(),
        cell.labels(),
        RunResult.Status.FINISHED,
        "",
        attempts,
        "",
        new RunResult.Training(
            2, 1, 10, 1, 1e9, 3, 4, List.of(new RunResult.Loss(1, 0.5)), List.of()),
        List.of(new Sampled("ema", 5, 5.0, 0.25, 1.5, 7, Map.of("Colors", 0.5))));
  }

  private static final StudyRun.Listener QUIET =
      new StudyRun.Listener() {
        @Override
        public void begins(Cell cell) {}

        @Override
        public void ends(RunResult result) {}
      };

  private StudyPlan plan(String more) throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 100\n");
    return StudyPlan.of(
        StudyFile.parse(
            temp.resolve("study.toml"),
            "title = \"T\"\nbase = \"base.toml\"\n[axes]\nseed = [0, 1, 2, 3]\n" + more),
        StudyPlan.WHOLE);
  }

  private StudyRun run(CellRunner runner) throws IOException {
    return new StudyRun(plan(""), temp.resolve("out"), runner);
  }

  private StudyRun.Outcome work(StudyRun run, boolean retry) throws Exception {
    return run.run(2, retry, QUIET, Progress.NONE, NEVER);
  }

  @Test
  void finishedRunsAreNotRepeated() throws Exception {
    Runs first = new Runs();
    AtomicBoolean stop = new AtomicBoolean();
    StudyRun.Listener killer =
        new StudyRun.Listener() {
          @Override
          public void begins(Cell cell) {}

          @Override
          public void ends(RunResult result) {
            stop.set(true);
          }
        };
    StudyRun.Outcome outcome = run(first).run(1, false, killer, Progress.NONE, stop::get);
    assertThat(outcome).isEqualTo(new StudyRun.Outcome(1, 0, 3));
    assertThat(first.done).containsExactly("0");

    Runs second = new Runs();
    assertThat(work(run(second), false)).isEqualTo(new StudyRun.Outcome(4, 0, 0));
    assertThat(second.done).containsExactlyInAnyOrder("1", "2", "3");

    Runs third = new Runs();
    assertThat(work(run(third), true)).isEqualTo(new StudyRun.Outcome(4, 0, 0));
    assertThat(third.done).isEmpty();
  }

  @Test
  void failuresAreRecordedAndRetriedWhenAsked() throws Exception {
    Runs runs = new Runs();
    runs.failing.addAll(Set.of("1", "2"));
    assertThat(work(run(runs), false)).isEqualTo(new StudyRun.Outcome(2, 2, 0));
    runs.failing.remove("1");
    runs.done.clear();
    assertThat(work(run(runs), false)).isEqualTo(new StudyRun.Outcome(2, 2, 0));
    assertThat(runs.done).isEmpty();
    StudyRun retried = run(runs);
    assertThat(work(retried, true)).isEqualTo(new StudyRun.Outcome(3, 1, 0));
    assertThat(runs.done).containsExactly("1");
    RunResult failed =
        retried.results().all().stream().filter(r -> !r.finished()).findFirst().orElseThrow();
    assertThat(failed.attempts()).isEqualTo(2);
    assertThat(failed.error()).isEqualTo("the loss is not finite");
  }

  @Test
  void otherMeasurementsAreTakenAnew() throws Exception {
    work(run(new Runs()), false);
    Runs runs = new Runs();
    StudyRun other = new StudyRun(plan("[evaluation]\nsamples = 12\n"), temp.resolve("out"), runs);
    assertThat(work(other, false)).isEqualTo(new StudyRun.Outcome(4, 0, 0));
    assertThat(runs.done).hasSize(4);
    assertThat(other.results().all()).hasSize(4);
  }

  @Test
  void preparationsComeFirst() throws Exception {
    Runs runs = new Runs();
    StudyPlan plan =
        plan("[run]\n\"model.base\" = \"{vae}\"\n[prepare.vae]\nbase = \"base.toml\"\n");
    StudyRun run = new StudyRun(plan, temp.resolve("out"), runs);
    assertThat(work(run, false)).isEqualTo(new StudyRun.Outcome(4, 0, 0));
    assertThat(runs.done.peek()).isEqualTo("vae");
  }

  /** Two at a time: each waits for another. */
  @Test
  void severalRunAtATime() throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    Runs runs =
        new Runs() {
          @Override
          public RunResult run(
              Cell cell,
              Path folder,
              Evaluation evaluation,
              int attempts,
              Progress progress,
              BooleanSupplier stop)
              throws IOException, StoppedException {
            both.countDown();
            try {
              both.await();
            } catch (InterruptedException e) {
              throw new StoppedException("interrupted");
            }
            return super.run(cell, folder, evaluation, attempts, progress, stop);
          }
        };
    assertThat(work(run(runs), false)).isEqualTo(new StudyRun.Outcome(4, 0, 0));
  }

  @Test
  void resultsSurviveTheFile() throws Exception {
    StudyRun run = run(new Runs());
    work(run, false);
    Path file = StudyRun.resultsFile(temp.resolve("out"));
    assertThat(Results.open(file).all()).isEqualTo(run.results().all());
    Files.writeString(file, Files.readString(file).replaceFirst("\\n", "\nnonsense\n"));
    assertThatThrownBy(() -> Results.open(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 2");
  }

  @Test
  void numbersOfAllThreadsArrive() throws Exception {
    Results results = Results.open(temp.resolve("r.jsonl"));
    List<Cell> cells = plan("").cells();
    IntStream.range(0, 200)
        .parallel()
        .forEach(i -> {
          try {
            RunResult one = result(cells.get(i % 4), 1);
            results.put(
                new RunResult(
                    "run" + i, one.labels(), one.status(), "", 1, "", one.training(), List.of()));
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        });
    assertThat(Results.open(temp.resolve("r.jsonl")).all()).hasSize(200);
  }
}
