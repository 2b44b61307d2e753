package org.rectiflow.study.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which study, how much of it and where: the options of all commands that do one. */
public final class StudyOptions {
  @Parameters(paramLabel = "STUDY.toml", description = "The study's file.")
  private Path file;

  @Option(
      names = "--budget",
      paramLabel = "NAME",
      description =
          "How much of it: a budget of the file, or whole for the file as it stands; default: the file's first.")
  private String budget;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The study's folder; default: studies/ and the names of file and budget.")
  private Path out;

  @Option(names = "--resume", description = "Go on with the study in the folder.")
  private boolean resume;

  @Option(names = "--retry", description = "Also do the runs again that failed.")
  private boolean retry;

  /** The study's file. */
  public Path file() {
    return file;
  }

  /** Whether runs that failed are tried again. */
  public boolean retry() {
    return retry;
  }

  /**
   * The runs that are asked for.
   *
   * @throws UserException if the file or the budget cannot be used
   */
  public StudyPlan plan() throws IOException {
    StudyFile study = StudyFile.read(file);
    String first = study.budgets().keySet().stream().findFirst().orElse(StudyPlan.WHOLE);
    return StudyPlan.of(study, budget == null ? first : budget);
  }

  /** The study's folder, which may not exist yet. */
  public Path folder(StudyPlan plan) {
    String name = String.valueOf(file.getFileName()).replaceAll("\\.toml$", "");
    return out == null ? Path.of("studies").resolve(name + "-" + plan.budget()) : out;
  }

  /**
   * The same, to work in.
   *
   * @throws UserException if it holds a study and nobody said that it goes on, if it holds
   *     something else, or if there is none to go on with
   */
  public Path folderToWorkIn(StudyPlan plan) throws IOException {
    Path folder = folder(plan);
    boolean study = isStudy(folder);
    if (study && !resume) {
      throw new UserException(
          "%s holds a study. Go on with it with --resume, or choose another folder with --out."
              .formatted(folder));
    }
    if (!study && resume) {
      throw new UserException(
          "%s holds no study to go on with; leave out --resume to begin one, or name its folder with --out"
              .formatted(folder));
    }
    OutputPlace.requireFolder("--out", folder);
    if (!study && Files.exists(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        Optional<Path> other = files.findFirst();
        if (other.isPresent()) {
          throw new UserException(
              "%s is no study's folder: it holds %s. Choose a new folder with --out."
                  .formatted(folder, other.get().getFileName()));
        }
      }
    }
    return folder;
  }

  /**
   * The folder of a study that has begun.
   *
   * @throws UserException if there is none
   */
  public Path folderToReport(StudyPlan plan) {
    Path folder = folder(plan);
    if (!isStudy(folder)) {
      throw new UserException(
          "%s holds no study to report; name its folder with --out, and the budget it was begun with with --budget"
              .formatted(folder));
    }
    return folder;
  }

  private static boolean isStudy(Path folder) {
    return Stream.of("runs", "prepare", "results.jsonl")
        .anyMatch(name -> Files.exists(folder.resolve(name)));
  }
}
