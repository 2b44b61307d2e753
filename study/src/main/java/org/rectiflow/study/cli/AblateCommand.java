package org.rectiflow.study.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.cli.ConsoleProgress;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.report.StudyReport;
import org.rectiflow.study.run.CellRunner;
import org.rectiflow.study.run.StudyRun;
import org.rectiflow.study.run.TrainedCells;
import org.rectiflow.trainer.cli.Interrupt;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Does a study. */
@Command(
    name = "ablate",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description =
        "Trains and measures many runs that differ along axes, and sets them side by side as the paper does in Section 5.",
    footer = {
      "",
      "Examples:",
      "  rectiflow ablate study/studies/formulations.toml --plan",
      "      prints the runs, and what they take",
      "  rectiflow ablate study/studies/formulations.toml --budget minutes",
      "  rectiflow ablate study/studies/formulations.toml --budget minutes --resume",
      "",
      "Studies of the paper's figures and tables are in study/studies. One that was",
      "stopped or killed goes on with --resume: finished runs are not done again, and a",
      "run in the middle ends with the same bytes as if nothing had happened."
    })
public final class AblateCommand implements Subcommand {
  @Spec private CommandSpec spec;

  @Mixin private StudyOptions study;

  @Option(
      names = "--jobs",
      paramLabel = "N",
      defaultValue = "1",
      description = "Runs at a time, which share the processors; default: ${DEFAULT-VALUE}.")
  private int jobs;

  @Option(names = "--plan", description = "Print the runs and what they take, and do nothing.")
  private boolean planOnly;

  @Option(names = "--report", description = "Write the report of what there is, and do nothing.")
  private boolean reportOnly;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "cpu (default) or another that `rectiflow devices` lists.")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads that compute, of all runs together; default: all processors. Never changes a result.")
  private Integer threads;

  @Option(names = "--quiet", description = "Print nothing but the report's name.")
  private boolean quiet;

  @Override
  public Integer call() throws Exception {
    UsageException.requireAtLeast("--jobs", 1, jobs);
    UsageException.requireAtLeast("--threads", 1, threads);
    if (planOnly && reportOnly) {
      throw new UsageException("--plan and --report do nothing else; leave one of them out");
    }
    StudyPlan plan = study.plan();
    CellRunner runner = new TrainedCells(() -> backend(Math.max(1, allThreads() / jobs)));
    PrintWriter output = spec.commandLine().getOut();
    if (planOnly) {
      printPlan(plan, output);
      output.println(estimate(plan, plan.cells()));
      output.flush();
      return 0;
    }
    Path folder = reportOnly ? study.folderToReport(plan) : study.folderToWorkIn(plan);
    StudyRun run = new StudyRun(plan, folder, runner);
    StudyRun.Outcome outcome = reportOnly ? run.outcome() : work(plan, run, folder);
    output.println(StudyReport.write(plan, run.results(), folder));
    output.flush();
    return status(outcome);
  }

  private StudyRun.Outcome work(StudyPlan plan, StudyRun run, Path folder)
      throws IOException, InterruptedException {
    List<Cell> left = run.left(study.retry());
    say(
        "%s: %d of %d runs are left, in %s",
        study.file(), left.size(), plan.cells().size(), folder);
    if (!left.isEmpty() && !quiet) {
      say("%s", estimate(plan, left));
    }
    try (ConsoleProgress console = ConsoleProgress.onStandardError();
        Interrupt interrupt = new Interrupt(spec.commandLine().getErr())) {
      Progress progress = quiet ? Progress.NONE : console;
      return run.run(jobs, study.retry(), new Lines(left.size(), this::say), progress, interrupt);
    }
  }

  private void say(String format, Object... arguments) {
    if (!quiet) {
      PrintWriter err = spec.commandLine().getErr();
      err.printf("rectiflow: " + format + "%n", arguments);
      err.flush();
    }
  }

  private int status(StudyRun.Outcome outcome) {
    if (outcome.left() > 0) {
      say("%d runs are left; --resume goes on", outcome.left());
      return reportOnly ? 0 : Interrupt.STATUS;
    }
    if (outcome.failed() > 0) {
      say(
          "%d runs failed; the report says why, --resume --retry does them again",
          outcome.failed());
      return reportOnly ? 0 : 1;
    }
    return 0;
  }

  private static void printPlan(StudyPlan plan, PrintWriter output) {
    output.printf(
        "%s%nBudget %s: %d runs%n", plan.study().title(), plan.budget(), plan.cells().size());
    plan.preparations().keySet().forEach(name -> output.println("  first " + name));
    for (Cell cell : plan.cells()) {
      output.println("  " + cell.labels());
    }
  }

  private String estimate(StudyPlan plan, List<Cell> left) {
    try (Backend backend = backend(allThreads())) {
      return CostLine.of(plan, left, backend);
    }
  }

  private int allThreads() {
    return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
  }

  private Backend backend(int count) {
    return UsageException.checked(() -> Backends.open(device, new BackendProvider.Options(count)));
  }
}
