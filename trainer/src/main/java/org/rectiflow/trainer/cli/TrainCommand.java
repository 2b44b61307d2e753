package org.rectiflow.trainer.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.cli.ConsoleProgress;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.RunFolder;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.Trainer;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.page.PageKeeper;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains what a run file says. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Trains a network as a run file (TOML) says.",
    footer = {
      "",
      "Examples:",
      "  rectiflow train RUN.toml            into runs/RUN",
      "  rectiflow train RUN.toml --resume   goes on where it was stopped or killed",
      "  rectiflow train --explain           every key of a run file, with its default",
      "  rectiflow generate \"a red circle\" --model runs/RUN/checkpoints/step-00001000",
      "",
      "Run files to begin with are in trainer/examples; see docs/training.md.",
      "Ctrl-C finishes the step, writes a checkpoint and ends; twice ends at once.",
      "A run that was killed and goes on ends with the same bytes as one that was not."
    })
public final class TrainCommand implements Subcommand {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "RUN.toml", arity = "0..1", description = "The run file.")
  private Path file;

  @Option(
      names = "--resume",
      description = "Go on from the latest checkpoint; begin, if there is none.")
  private boolean resume;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run's folder; default: runs/ and the run file's name.")
  private Path out;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps of the optimizer, instead of the run file's.")
  private Long steps;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "cpu (default) or another that `rectiflow devices` lists.")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute; default: all processors. Never changes a result.")
  private Integer threads;

  @Option(
      names = "--explain",
      arity = "0..1",
      paramLabel = "TASK",
      fallbackValue = "transformer",
      description =
          "Print every key of a run file with its default and meaning, for one kind of task: transformer (default), autoencoder or clip.")
  private String explain;

  @Option(names = "--quiet", description = "Print nothing but the last checkpoint's name.")
  private boolean quiet;

  @Override
  public Integer call() throws Exception {
    PrintWriter output = spec.commandLine().getOut();
    if (explain != null) {
      output.print(Explanation.of(toExplain()));
      output.flush();
      return 0;
    }
    if (file == null) {
      throw new UsageException(
          "which run? Name a run file, as in `rectiflow train RUN.toml`; `rectiflow train --explain` says what stands in one.");
    }
    UsageException.requireAtLeast("--steps", 1, steps);
    UsageException.requireAtLeast("--threads", 1, threads);
    RunFile run = RunFile.read(file);
    TaskFactory factory = TaskFactory.named(run.peek(LoopKeys.TASK), file.toString());
    Settings settings = settings(run, factory);
    try {
      return train(settings, factory);
    } catch (OutOfMemoryError e) {
      throw new UserException(
          "out of memory: %s. Give Java more with RECTIFLOW_JAVA_OPTS=-Xmx8g and go on with --resume; or begin another run with a smaller `batch` and a larger `accumulation`, which trains the same but for rounding."
              .formatted(e.getMessage()),
          e);
    }
  }

  private TaskFactory toExplain() {
    try {
      return TaskFactory.named(explain, "--explain");
    } catch (UserException e) {
      throw new UsageException(e.getMessage());
    }
  }

  private int train(Settings settings, TaskFactory factory) throws Exception {
    PrintWriter output = spec.commandLine().getOut();
    Path folder = out == null ? Path.of("runs").resolve(name()) : out;
    try (Backend backend = backend();
        RunFolder held = RunFolder.open(folder, settings, resume);
        ConsoleProgress console = ConsoleProgress.onStandardError();
        Interrupt interrupt = new Interrupt(spec.commandLine().getErr())) {
      Progress progress = quiet ? Progress.NONE : console;
      try (Task task = factory.open(settings, backend, progress);
          Trainer trainer = new Trainer(task, settings, held, backend);
          PageKeeper page = PageKeeper.start(folder, this::warn)) {
        announce(trainer.step(), folder, settings);
        Trainer.Outcome outcome = trainer.run(name(), progress, interrupt);
        page.close();
        console.close();
        output.println(outcome.checkpoint());
        report(outcome);
        return outcome.finished() ? 0 : Interrupt.STATUS;
      }
    }
  }

  private void warn(String message) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("rectiflow: " + message);
    err.flush();
  }

  private Settings settings(RunFile run, TaskFactory factory) {
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.addAll(factory.keys());
    Settings settings = run.settings(keys);
    if (steps == null) {
      return settings;
    }
    return settings.with(LoopKeys.STEPS, steps);
  }

  private String name() {
    return String.valueOf(file.getFileName()).replaceAll("\\.toml$", "");
  }

  private Backend backend() {
    int n = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    return UsageException.checked(() -> Backends.open(device, new BackendProvider.Options(n)));
  }

  private void announce(long step, Path folder, Settings settings) {
    if (!quiet) {
      PrintWriter err = spec.commandLine().getErr();
      err.printf(
          "rectiflow: training in %s, %s, up to step %d%n",
          folder,
          step == 0 ? "from the beginning" : "from the checkpoint of step " + step,
          settings.get(LoopKeys.STEPS));
      err.flush();
    }
  }

  private void report(Trainer.Outcome outcome) throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    if (!outcome.finished()) {
      err.printf(
          "rectiflow: stopped after step %d; the checkpoint is written, --resume goes on from there%n",
          outcome.step());
    } else if (!quiet) {
      outcome
          .bestStep()
          .ifPresent(
              best -> err.printf("rectiflow: the smallest validation loss was at step %d%n", best));
    }
    err.flush();
  }
}
