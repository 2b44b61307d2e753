package org.rectiflow.study.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.rectiflow.pipeline.io.TextFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.config.Kind;
import org.tomlj.TomlArray;

/**
 * A TOML file that describes a study.
 *
 * @param file where it was read
 * @param title one line for people
 * @param claim what the paper says of it, in our words
 * @param base the run file that every run begins with
 * @param compare the axis whose values are set against each other
 * @param sections what the report shows
 * @param run keys of run files that all runs have, over those of {@code base}
 * @param axes what runs differ in; a study has a run for each combination
 * @param evaluation how finished runs are measured
 * @param prepare runs that others need, by name: {@code {NAME}} in a run's text is the folder of
 *     their checkpoint
 * @param budgets how much of it is done, by name
 */
public record StudyFile(
    Path file,
    String title,
    String claim,
    Path base,
    String compare,
    List<Section> sections,
    Overrides run,
    List<Axis> axes,
    Evaluation evaluation,
    Map<String, Preparation> prepare,
    Map<String, Budget> budgets) {

  /**
   * A run that other runs need.
   *
   * @param base its run file
   * @param run keys over those of the file
   */
  public record Preparation(Path base, Overrides run) {}

  /**
   * What is other under a budget.
   *
   * @param run keys of run files
   * @param axes axes that take the place of those of the same name
   * @param evaluation makes the study's measurements this budget's
   * @param prepare keys of the run files of preparations, by their names
   */
  public record Budget(
      Overrides run,
      List<Axis> axes,
      UnaryOperator<Evaluation> evaluation,
      Map<String, Overrides> prepare) {}

  private static final List<String> TOP =
      List.of(
          "title",
          "claim",
          "base",
          "compare",
          "report",
          "run",
          "axes",
          "variants",
          "evaluation",
          "prepare",
          "budget");

  /**
   * Reads a file.
   *
   * @throws UserException if it is missing, is no TOML, or says what no study can be; the message
   *     names the line
   */
  public static StudyFile read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "%s: %s. study/studies has those of the paper's figures and tables."
              .formatted(
                  file,
                  Files.isDirectory(file)
                      ? "this is a folder, expected a study's file"
                      : "no such file"));
    }
    return parse(file, TextFiles.read(file, "a study in TOML"));
  }

  /**
   * Reads a text.
   *
   * @param file where it stands: paths in it are relative to that, and messages name it
   */
  public static StudyFile parse(Path file, String text) {
    Table top = Table.parse(file.toString(), text);
    top.allow(TOP);
    Path folder = file.toAbsolutePath().getParent();
    List<Axis> axes = axes(top);
    if (axes.isEmpty()) {
      throw new UserException(
          "%s: a study needs at least one axis in [axes] or [variants]".formatted(file));
    }
    String compare = top.get("compare", Kind.text(), axes.getFirst().name());
    if (axes.stream().noneMatch(axis -> axis.name().equals(compare))) {
      throw top.problem(
          "compare",
          "there is no axis '%s'; there are %s"
              .formatted(compare, axes.stream().map(Axis::name).toList()));
    }
    Map<String, Preparation> prepare = preparations(top.table("prepare"), folder);
    Map<String, Budget> budgets = new LinkedHashMap<>();
    Table tables = top.table("budget");
    for (String name : tables.names()) {
      budgets.put(name, budget(tables.table(name), prepare));
    }
    return new StudyFile(
        file,
        top.get("title", Kind.text()),
        top.get("claim", Kind.text(), ""),
        folder.resolve(top.get("base", Kind.text())),
        compare,
        top.get("report", Kind.listOf(Section.kind()), List.of(Section.RANKING)),
        top.table("run").overrides(),
        axes,
        Evaluation.of(top.table("evaluation"), Evaluation.PAPER),
        prepare,
        budgets);
  }

  private static List<Axis> axes(Table table) {
    List<Axis> axes = new ArrayList<>();
    Overrides plain = table.table("axes").overrides();
    plain
        .values()
        .forEach((key, value) -> {
          String place = plain.places().get(key);
          if (!(value instanceof TomlArray array)) {
            throw new UserException("%s: axes.%s must be a list of values".formatted(place, key));
          }
          axes.add(Axis.ofKey(key, array, place));
        });
    Table variants = table.table("variants");
    for (String name : variants.names()) {
      Table labels = variants.table(name);
      List<Axis.Point> points = new ArrayList<>();
      for (String label : labels.names()) {
        points.add(new Axis.Point(label, labels.table(label).overrides()));
      }
      axes.add(new Axis(name, points));
    }
    for (Axis axis : axes) {
      if (axis.points().isEmpty()) {
        throw new UserException(
            "%s: the axis %s has no values".formatted(table.origin(), axis.name()));
      }
    }
    return List.copyOf(axes);
  }

  private static Map<String, Preparation> preparations(Table table, Path folder) {
    Map<String, Preparation> all = new LinkedHashMap<>();
    for (String name : table.names()) {
      Table one = table.table(name);
      one.allow(List.of("base", "run"));
      all.put(
          name,
          new Preparation(
              folder.resolve(one.get("base", Kind.text())), one.table("run").overrides()));
    }
    return all;
  }

  private static Budget budget(Table table, Map<String, Preparation> prepare) {
    table.allow(List.of("run", "axes", "variants", "evaluation", "prepare"));
    Table evaluation = table.table("evaluation");
    Evaluation.of(evaluation, Evaluation.PAPER); // what is wrong is refused at once
    Map<String, Overrides> preparations = new LinkedHashMap<>();
    Table tables = table.table("prepare");
    tables.allow(List.copyOf(prepare.keySet()));
    for (String name : tables.names()) {
      preparations.put(name, tables.table(name).overrides());
    }
    return new Budget(
        table.table("run").overrides(),
        axes(table),
        study -> Evaluation.of(evaluation, study),
        preparations);
  }
}
