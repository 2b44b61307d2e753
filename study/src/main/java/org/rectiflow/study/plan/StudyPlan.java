package org.rectiflow.study.plan;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.config.Settings;

/**
 * All runs of a study under one budget: what the budget says comes over what the study says, which
 * comes over the base run file; an axis of the budget takes the place of the study's.
 *
 * @param study the file
 * @param budget its name
 * @param preparations runs that others need, by name
 * @param cells the runs, one for each combination of the axes' values, the last axis fastest
 * @param evaluation how they are measured; the towers' folder may be {@code {NAME}}
 */
public record StudyPlan(
    StudyFile study,
    String budget,
    Map<String, Cell> preparations,
    List<Cell> cells,
    Evaluation evaluation) {

  /** The budget of a study that has none. */
  public static final String WHOLE = "whole";

  /**
   * Makes the plan.
   *
   * @param budget a name of the file's, or {@link #WHOLE}
   * @throws UserException if there is no such budget, a key is unknown, or a value not of its kind
   */
  public static StudyPlan of(StudyFile study, String budget) throws IOException {
    StudyFile.Budget changes = changes(study, budget);
    Settings base = RunSettings.of(study.file(), study.base());
    Settings common = RunSettings.with(RunSettings.with(base, study.run()), changes.run());
    Map<String, Cell> preparations = new LinkedHashMap<>();
    for (Map.Entry<String, StudyFile.Preparation> one : study.prepare().entrySet()) {
      Settings own = RunSettings.of(study.file(), one.getValue().base());
      Settings settings =
          RunSettings.with(
              RunSettings.with(own, one.getValue().run()),
              changes.prepare().getOrDefault(one.getKey(), Overrides.NONE));
      // A preparation may need those before it.
      Map<String, String> before = ids(preparations);
      preparations.put(one.getKey(), Cell.of(Map.of("prepare", one.getKey()), settings, before));
    }
    Map<String, String> names = ids(preparations);
    List<Cell> cells = new ArrayList<>();
    expand(axes(study, changes), 0, new LinkedHashMap<>(), common, names, cells);
    Evaluation evaluation = changes.evaluation().apply(study.evaluation());
    Placeholders.fill(evaluation.towers(), names, study.file() + ": evaluation.towers");
    return new StudyPlan(study, budget, preparations, List.copyOf(cells), evaluation);
  }

  private static Map<String, String> ids(Map<String, Cell> preparations) {
    return preparations.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().id()));
  }

  private static StudyFile.Budget changes(StudyFile study, String budget) {
    StudyFile.Budget found = study.budgets().get(budget);
    if (found == null && !budget.equals(WHOLE)) {
      throw new UsageException(
          "%s has no budget '%s'; it has %s, and %s for the file as it stands"
              .formatted(study.file(), budget, study.budgets().keySet(), WHOLE));
    }
    return found != null
        ? found
        : new StudyFile.Budget(Overrides.NONE, List.of(), e -> e, Map.of());
  }

  private static List<Axis> axes(StudyFile study, StudyFile.Budget changes) {
    Map<String, Axis> axes = new LinkedHashMap<>();
    study.axes().forEach(axis -> axes.put(axis.name(), axis));
    changes.axes().forEach(axis -> axes.put(axis.name(), axis));
    return List.copyOf(axes.values());
  }

  private static void expand(
      List<Axis> axes,
      int next,
      Map<String, String> labels,
      Settings settings,
      Map<String, String> preparations,
      List<Cell> cells) {
    if (next == axes.size()) {
      cells.add(Cell.of(labels, settings, preparations));
      return;
    }
    Axis axis = axes.get(next);
    for (Axis.Point point : axis.points()) {
      Map<String, String> extended = new LinkedHashMap<>(labels);
      extended.put(axis.name(), point.label());
      Settings changed = RunSettings.with(settings, point.run());
      expand(axes, next + 1, extended, changed, preparations, cells);
    }
  }
}
