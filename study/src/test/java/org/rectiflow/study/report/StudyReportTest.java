package org.rectiflow.study.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.evaluation.ControlSetting.Sampler;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Section;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.StudyRun;

class StudyReportTest {
  private static final List<String> FORMULATIONS = List.of("rf/lognorm(0,1)", "rf", "v/cos");

  @TempDir Path temp;
  private StudyPlan plan;
  private Results results;

  /** In every setting the first formulation is best in both metrics, and the last worst. */
  @BeforeEach
  void makeResults() throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 100\n");
    plan =
        StudyPlan.of(
            StudyFile.parse(
                temp.resolve("study.toml"),
                """
                title = "A <study>"
                claim = "something | else"
                base = "base.toml"
                compare = "formulation"
                report = ["ranking", "scores", "steps", "training", "attention", "scaling", "depth", "categories", "efficiency"]
                [axes]
                formulation = ["rf/lognorm(0,1)", "rf", "v/cos", "eps/linear"]
                "model.depth" = [2, 4]
                [evaluation]
                samples = 6
                """),
            StudyPlan.WHOLE);
    results = Results.open(temp.resolve("results.jsonl"));
    for (Cell cell : plan.cells()) {
      int place = FORMULATIONS.indexOf(cell.labels().get("formulation"));
      if (place >= 0) {
        results.put(finished(cell, place).withMeasured(StudyRun.measured(plan.evaluation())));
      }
    }
    results.put(
        RunResult.failed(
            plan.cells().getLast().id(),
            plan.cells().getLast().labels(),
            2,
            new IOException("disk full")));
  }

  private RunResult finished(Cell cell, int place) {
    int depth = Integer.parseInt(cell.labels().get("model.depth"));
    List<Sampled> samples = new ArrayList<>();
    Map<String, Double> rates = new LinkedHashMap<>();
    for (GenEval.Task task : GenEval.Task.values()) {
      rates.put(task.label(), 0.1 * (5 - place));
    }
    for (String weights : plan.evaluation().weights()) {
      for (Sampler sampler : plan.evaluation().samplers()) {
        double alignment = (0.5 - 0.1 * place) * (sampler.steps() == 5 ? 0.5 : 1);
        samples.add(
            new Sampled(
                weights,
                sampler.steps(),
                sampler.guidance(),
                alignment,
                10.0 * (place + 1) / depth,
                100 + place,
                rates));
      }
    }
    return new RunResult(
        cell.id(),
        cell.labels(),
        RunResult.Status.FINISHED,
        "",
        1,
        "",
        new RunResult.Training(
            100,
            100,
            1000L * depth,
            depth,
            1e9,
            60,
            30,
            List.of(new RunResult.Loss(50, 1 + place), new RunResult.Loss(100, 0.5 + place)),
            List.of(
                new RunResult.Attention(50, List.of(1.0, 3.0), List.of(2.0, 4.0)),
                new RunResult.Attention(100, List.of(2.0, 4.0), List.of(1.0, 3.0)))),
        samples);
  }

  private DataTable table(Section section) {
    Rendering rendering = StudyReport.render(section, Findings.of(plan, results));
    return rendering.tables().getFirst();
  }

  @Test
  void ranksAsTable1() {
    DataTable table = table(Section.RANKING);
    assertThat(table.title()).contains("12 control settings");
    assertThat(table.rows())
        .containsExactly(
            List.of("rf/lognorm(0,1)", "1.00", "1.00", "1.00", "1.54"),
            List.of("rf", "2.00", "2.00", "2.00", "5.67"),
            List.of("v/cos", "3.00", "3.00", "3.00", "9.17"));
    Rendering rendering = StudyReport.render(Section.RANKING, Findings.of(plan, results));
    assertThat(rendering.notes().getFirst()).contains("3 variants").contains(": 1.00");
  }

  @Test
  void efficiencyIsRelativeToTheMostSteps() {
    assertThat(table(Section.EFFICIENCY).columns())
        .containsExactly(
            "formulation", "5/50 steps [%]", "10/50 steps [%]", "25/50 steps [%]", "path length");
    assertThat(table(Section.EFFICIENCY).rows().get(1))
        .containsExactly("rf", "50.00", "0.00", "0.00", "101.00");
  }

  @Test
  void categoriesAreThePapersRows() {
    DataTable table = table(Section.CATEGORIES);
    assertThat(table.rows()).hasSize(7);
    assertThat(table.rows().getLast()).containsExactly("Overall", "50.00", "40.00", "30.00");
  }

  @Test
  void depthHasALineForEachVariant() {
    assertThat(table(Section.DEPTH).rows())
        .hasSize(6)
        .contains(List.of("rf", "2", "10.000", "0.4000"), List.of("rf", "4", "5.000", "0.4000"));
  }

  @Test
  void meansAreOverRuns() {
    DataTable scores = table(Section.SCORES);
    assertThat(scores.title()).contains("25 steps").contains("guidance 5.0");
    assertThat(scores.rows().getFirst())
        .containsExactly("rf/lognorm(0,1)", "2", "2,000", "0.5000", "0.5000", "3.750", "60");
    assertThat(table(Section.ATTENTION).rows().getFirst())
        .containsExactly("rf/lognorm(0,1)", "50", "2.0", "3.0");
    assertThat(table(Section.SCALING).rows().getFirst().get(2)).isEqualTo("0.10");
  }

  @Test
  void writesPagesTablesAndFigures() throws IOException {
    Path page = StudyReport.write(plan, results, temp);
    String html = Files.readString(page);
    assertThat(html)
        .contains("A &lt;study&gt;")
        .contains("6 of 8 runs are finished, 1 failed, 1 are left")
        .contains("disk full");
    String markdown = Files.readString(page.resolveSibling("report.md"));
    assertThat(markdown).contains("# A <study>").contains("| rf | 2.00 |").contains("](steps.svg)");
    for (String file :
        List.of(
            "steps.png",
            "steps.svg",
            "steps.csv",
            "attention.svg",
            "scaling.png",
            "depth.svg",
            "training.csv",
            "ranking.csv",
            "categories.csv",
            "efficiency.csv")) {
      assertThat(page.resolveSibling(file)).exists();
    }
  }

  @Test
  void aStudyWithoutResultsHasAPageToo() throws IOException {
    Path page = StudyReport.write(plan, Results.open(temp.resolve("none.jsonl")), temp);
    assertThat(Files.readString(page)).contains("0 of 8 runs are finished, 0 failed, 8 are left");
  }

  /** Runs that were measured with other settings do not count. */
  @Test
  void otherMeasurementsAreLeftOut() throws IOException {
    RunResult old = results.all().getFirst();
    results.put(old.withMeasured("other"));
    assertThat(Files.readString(StudyReport.write(plan, results, temp)))
        .contains("5 of 8 runs are finished, 1 failed, 2 are left");
  }

  @Test
  void preparationsShowTheirLastValidation() throws IOException {
    StudyPlan prepared =
        StudyPlan.of(
            StudyFile.parse(
                temp.resolve("study.toml"),
                """
                title = "P"
                base = "base.toml"
                report = ["preparations"]
                [axes]
                seed = [0]
                [prepare.vae]
                base = "base.toml"
                """),
            StudyPlan.WHOLE);
    Path log =
        StudyRun.preparationFolder(temp, prepared.preparations().get("vae")).resolve("log.jsonl");
    Files.createDirectories(log.getParent());
    Files.writeString(
        log,
        """
        {"event":"validation","step":1,"loss":2.0,"details":{"psnr":10.0}}
        {"event":"validation","step":2,"loss":1.0,"details":{"psnr":20.0,"ssim":0.5}}
        """);
    DataTable table = PreparationsSection.of(Preparations.read(prepared, temp)).tables().getFirst();
    assertThat(table.columns()).containsExactly("preparation", "loss", "psnr", "ssim");
    assertThat(table.rows()).containsExactly(List.of("vae", "1.0000", "20.0000", "0.5000"));
  }

  @Test
  void rankCorrelation() {
    double[] a = {1, 2, 3, 4};
    assertThat(PaperRanks.spearman(a, new double[] {10, 20, 30, 40})).isEqualTo(1);
    assertThat(PaperRanks.spearman(a, new double[] {4, 3, 2, 1})).isEqualTo(-1);
    // Ties: mid-ranks 1, 2.5, 2.5, 4.
    assertThat(PaperRanks.spearman(a, new double[] {0, 5, 5, 9}))
        .isCloseTo(4.5 / Math.sqrt(5 * 4.5), within(1e-12));
    assertThat(PaperRanks.spearman(a, new double[] {7, 7, 7, 7})).isZero();
  }

  @Test
  void printedNamesAreFoundHoweverTheyAreWritten() {
    assertThat(
            PaperRanks.of(List.of("rf/lognorm(0,1)", "edm(-1.2,1.2)", "rf/mode(1.29)", "eps/cos")))
        .isEqualTo(Map.of("rf/lognorm(0,1)", 1.54, "edm(-1.2,1.2)", 15.58, "rf/mode(1.29)", 2.75));
  }
}
