package org.rectiflow.study.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.OutputFolder;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.plan.Section;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.RunResult;

/**
 * Writes what a study found so far: {@code report.md}, {@code report.html}, and each table and
 * figure in files of its own.
 */
public final class StudyReport {
  private StudyReport() {}

  /**
   * Writes the report.
   *
   * @param folder of the study
   * @return the page
   */
  public static Path write(StudyPlan plan, Results results, Path folder) throws IOException {
    Findings findings = Findings.of(plan, results);
    OutputFolder out = new OutputFolder(folder.resolve("report"));
    Map<Section, Rendering> sections = new LinkedHashMap<>();
    if (!findings.variants().isEmpty()) {
      for (Section section : plan.study().sections()) {
        Rendering rendering =
            section == Section.PREPARATIONS
                ? PreparationsSection.of(Preparations.read(plan, folder))
                : render(section, findings);
        sections.put(section, rendering);
        out.write(rendering);
      }
    }
    ReportPage page = new ReportPage(plan, facts(findings), sections, failures(findings));
    out.writeText("report.md", page.markdown());
    out.writeText("report.html", page.html());
    return out.directory().resolve("report.html");
  }

  /** What a section shows of these findings. */
  static Rendering render(Section section, Findings findings) {
    return switch (section) {
      case RANKING -> RankingSection.of(findings);
      case SCORES -> ScoresSection.of(findings);
      case STEPS -> StepsSection.of(findings);
      case TRAINING -> TrainingSection.of(findings);
      case ATTENTION -> AttentionSection.of(findings);
      case SCALING -> ScalingSection.of(findings);
      case DEPTH -> DepthSection.of(findings);
      case CATEGORIES -> CategoriesSection.of(findings);
      case EFFICIENCY -> EfficiencySection.of(findings);
      case PREPARATIONS -> throw new IllegalArgumentException("not of the runs");
    };
  }

  private static List<String> facts(Findings findings) {
    StudyPlan plan = findings.plan();
    List<RunResult> runs = findings.runs();
    double training = runs.stream().mapToDouble(r -> r.training().seconds()).sum();
    double measuring = runs.stream().mapToDouble(r -> r.training().measuringSeconds()).sum();
    List<String> facts = new ArrayList<>();
    facts.add(
        "Budget %s: %d of %d runs are finished, %d failed, %d are left."
            .formatted(
                plan.budget(),
                runs.size(),
                plan.cells().size(),
                findings.failed().size(),
                findings.missing()));
    facts.add(
        "The finished runs took %s minutes of training and %s minutes of measuring."
            .formatted(Findings.fixed(training / 60, 1), Findings.fixed(measuring / 60, 1)));
    facts.add(
        "Each setting was measured with %d pictures; the paper takes 1000."
            .formatted(plan.evaluation().samples()));
    facts.add(
        findings.hasTowers()
            ? "Alignment and features are those of the CLIP towers "
                + plan.evaluation().towers()
                + "."
            : "The score is the share of pictures that show their prompt, by the rules of the shapes world, averaged over its six categories; the Frechet distance is that of the mean and deviation of each colour in a grid of 4 by 4 cells, not of CLIP features.");
    return facts;
  }

  private static DataTable failures(Findings findings) {
    DataTable.Builder table =
        DataTable.of("failures", "Runs that failed", "run", "attempts", "error");
    for (RunResult run : findings.failed()) {
      table.row(run.id(), Integer.toString(run.attempts()), run.error());
    }
    return table.build();
  }
}
