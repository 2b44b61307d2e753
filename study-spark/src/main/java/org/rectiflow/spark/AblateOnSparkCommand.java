package org.rectiflow.spark;

import java.io.File;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.study.cli.Lines;
import org.rectiflow.study.cli.StudyOptions;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.report.StudyReport;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.StudyRun;
import org.rectiflow.study.run.TrainedCells;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Does a study on Spark. */
@Command(
    name = "ablate-spark",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Does a study as `rectiflow ablate`, its runs as tasks of Apache Spark. The study's file, the",
      "models it names and the folder of --out must be the same on all machines, and Java 25 there."
    },
    footer = {
      "",
      "Examples:",
      "  RECTIFLOW_SPARK=1 ./run.sh ablate-spark study/studies/scaling.toml --master \"local[2]\"",
      "  RECTIFLOW_SPARK=1 ./run.sh ablate-spark study/studies/scaling.toml --master spark://host:7077 --out /shared/scaling"
    })
public final class AblateOnSparkCommand implements Subcommand {
  /** Flags of the executors' JVMs. */
  private static final String EXECUTOR_FLAGS =
      "--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Djava.awt.headless=true";

  @Spec private CommandSpec spec;

  @Mixin private StudyOptions study;

  @Option(
      names = "--master",
      paramLabel = "URL",
      required = true,
      description = "Spark's master: local[N], spark://HOST:PORT, k8s://URL.")
  private String master;

  @Option(
      names = "--attempts",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "How often Spark begins a run before it counts as failed; default: ${DEFAULT-VALUE}.")
  private int attempts;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Threads of each run, which Spark counts as its cores; default: ${DEFAULT-VALUE}.")
  private int threads;

  @Override
  public Integer call() throws Exception {
    UsageException.requireAtLeast("--attempts", 1, attempts);
    UsageException.requireAtLeast("--threads", 1, threads);
    StudyPlan plan = study.plan();
    Path folder = study.folderToWorkIn(plan);
    int perRun = threads;
    RunnerFactory runners =
        () -> new TrainedCells(() -> Backends.open("cpu", new BackendProvider.Options(perRun)));
    StudyRun.Outcome outcome;
    try (JavaSparkContext spark = new JavaSparkContext(conf())) {
      outcome =
          SparkStudy.run(
              spark,
              plan,
              folder,
              runners,
              study.retry(),
              new Lines(plan.cells().size(), this::say));
    }
    PrintWriter output = spec.commandLine().getOut();
    Results results = Results.open(StudyRun.resultsFile(folder));
    output.println(StudyReport.write(plan, results, folder));
    output.flush();
    return outcome.failed() > 0 ? 1 : 0;
  }

  private void say(String format, Object... arguments) {
    PrintWriter err = spec.commandLine().getErr();
    err.printf("rectiflow: " + format + "%n", arguments);
    err.flush();
  }

  private SparkConf conf() {
    SparkConf conf =
        new SparkConf()
            .setAppName("rectiflow ablate")
            .setMaster(withAttempts())
            .set("spark.task.maxFailures", Integer.toString(attempts))
            .set("spark.ui.enabled", "false");
    if (!master.startsWith("local")) {
      conf.set("spark.task.cpus", Integer.toString(threads))
          .set(
              "spark.executor.extraJavaOptions",
              EXECUTOR_FLAGS + " -Drectiflow.home=" + System.getProperty("rectiflow.home", ""))
          .setJars(
              Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                  .filter(entry -> entry.endsWith(".jar"))
                  .toArray(String[]::new));
    }
    return conf;
  }

  /** In local mode Spark takes the number of attempts from the master's name only. */
  private String withAttempts() {
    return master.matches("local\\[(\\d+|\\*)\\]")
        ? master.replace("]", "," + attempts + "]")
        : master;
  }
}
