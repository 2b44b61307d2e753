package org.rectiflow.study.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.rectiflow.evaluation.ControlSetting.Sampler;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.StudyRun;

/**
 * The finished runs of a study, by the value of the axis that is compared. Where several runs share
 * a value, such as seeds, their numbers are averaged.
 */
public final class Findings {
  private final StudyPlan plan;
  private final Map<String, List<RunResult>> variants = new LinkedHashMap<>();
  private final List<RunResult> failed = new ArrayList<>();
  private int missing;

  private Findings(StudyPlan plan) {
    this.plan = plan;
  }

  /** Those of the plan's runs. */
  public static Findings of(StudyPlan plan, Results results) {
    Findings findings = new Findings(plan);
    String measured = StudyRun.measured(plan.evaluation());
    for (var cell : plan.cells()) {
      // Runs that were measured otherwise are still to be measured.
      Optional<RunResult> found =
          results.find(cell.id()).filter(r -> !r.finished() || r.measured().equals(measured));
      if (found.isEmpty()) {
        findings.missing++;
      } else if (found.get().finished()) {
        findings
            .variants
            .computeIfAbsent(cell.labels().get(plan.study().compare()), _ -> new ArrayList<>())
            .add(found.get());
      } else {
        findings.failed.add(found.get());
      }
    }
    return findings;
  }

  StudyPlan plan() {
    return plan;
  }

  /** The values of the compared axis that have finished runs, in the order of the file. */
  List<String> variants() {
    return List.copyOf(variants.keySet());
  }

  List<RunResult> runs(String variant) {
    return variants.get(variant);
  }

  List<RunResult> runs() {
    return variants.values().stream().flatMap(List::stream).toList();
  }

  List<RunResult> failed() {
    return List.copyOf(failed);
  }

  /** Runs that were not done yet. */
  int missing() {
    return missing;
  }

  /** The axis that is compared. */
  String compared() {
    String name = plan.study().compare();
    return name.substring(name.lastIndexOf('.') + 1).replace('_', ' ');
  }

  /** The value of a key of run files in a run: the plan's, as the result does not repeat it. */
  Object setting(RunResult run, String key) {
    return plan.cells().stream()
        .filter(cell -> cell.id().equals(run.id()))
        .map(cell -> cell.settings().values().get(key))
        .filter(Objects::nonNull)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(run.id() + " has no setting " + key));
  }

  /** Which weights and samplers all finished runs were measured with. */
  List<Place> places() {
    Set<Place> common = new LinkedHashSet<>();
    for (String weights : plan.evaluation().weights()) {
      for (Sampler sampler : plan.evaluation().samplers()) {
        Place place = new Place(weights, sampler.steps(), sampler.guidance());
        if (runs().stream().allMatch(run -> find(run, place).isPresent())) {
          common.add(place);
        }
      }
    }
    return List.copyOf(common);
  }

  /** A kind of weights and a sampler. */
  record Place(String weights, int steps, double guidance) {}

  static Optional<Sampled> find(RunResult run, Place place) {
    return run.samples().stream()
        .filter(s -> s.weights().equals(place.weights))
        .filter(s -> s.steps() == place.steps && s.guidance() == place.guidance)
        .findFirst();
  }

  /** The mean of a measurement over the runs of a variant. */
  double mean(String variant, Place place, ToDoubleFunction<Sampled> what) {
    return mean(runs(variant), place, what);
  }

  static double mean(List<RunResult> runs, Place place, ToDoubleFunction<Sampled> what) {
    return runs.stream()
        .map(run -> find(run, place).orElseThrow())
        .mapToDouble(what)
        .average()
        .orElseThrow();
  }

  /** The weights that figures show: the first that were measured, EMA in the paper. */
  String weights() {
    return plan.evaluation().weights().getFirst();
  }

  double largestGuidance() {
    return plan.evaluation().guidance().stream().mapToDouble(g -> g).max().orElseThrow();
  }

  int mostSteps() {
    return plan.evaluation().steps().stream().mapToInt(n -> n).max().orElseThrow();
  }

  /** The number of steps nearest to one the paper shows. */
  int stepsNear(int wanted) {
    return plan.evaluation().steps().stream()
        .min((a, b) -> Integer.compare(Math.abs(a - wanted), Math.abs(b - wanted)))
        .orElseThrow();
  }

  /** Whether alignment is that of CLIP towers and not of the rules. */
  boolean hasTowers() {
    return !plan.evaluation().towers().isEmpty();
  }

  String alignmentName() {
    return hasTowers() ? "CLIP score" : "shapes score";
  }

  String frechetName() {
    return hasTowers() ? "FD of tower features" : "FD of pixel statistics";
  }

  static String fixed(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
