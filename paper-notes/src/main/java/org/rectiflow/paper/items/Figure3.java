package org.rectiflow.paper.items;

import java.awt.Color;
import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.rectiflow.evaluation.lab.ExactSampling;
import org.rectiflow.evaluation.lab.GaussianMixture;
import org.rectiflow.evaluation.lab.LineMixture;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.Dash;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.TimeGrid;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.solver.Solver;

/**
 * Figure 3 without training: the paper plots FID over the number of sampling steps of trained
 * networks; here the network is exact and the sampler's error is all there is.
 */
public final class Figure3 {

  private static final int[] STEPS = {2, 5, 10, 25, 50, 100};

  /** Starting points of each error, at equally probable places of the noise. */
  private static final int POINTS = 400;

  private static final String CAUTION =
      "Caution: this is not the paper's measurement. The network is exact, so only the error of the"
          + " sampler is left, and which path is ahead depends on the data: for one broad Gaussian"
          + " (left) the cosine path is the easier ODE, for two tight clusters (right) the rectified"
          + " flow is ahead of it from 5 steps on. Neither reproduces the paper's finding that rectified"
          + " flows need fewer steps; that comes from real data and trained networks.";

  private static final Solver EULER = new Solver.Euler(Solver.Variable.TIME);
  private static final Solver RATIO = new Solver.Euler(Solver.Variable.NOISE_RATIO);

  private record Sampler(
      String name,
      NoisePath path,
      Solver solver,
      Grid grid,
      Color color,
      Dash dash,
      Marker marker) {

    double error(LineMixture data, int steps) {
      return ExactSampling.error(data, path, solver, grid.times(path, steps), POINTS);
    }
  }

  private interface Grid {
    double[] times(NoisePath path, int steps);
  }

  private static final List<Sampler> SAMPLERS =
      List.of(
          new Sampler(
              "rf",
              new RectifiedFlow(),
              EULER,
              ExactSampling::uniformTimes,
              Colors.RF,
              Dash.SOLID,
              SeriesMarkers.CIRCLE),
          new Sampler(
              "rf, steps as lognorm(0, 1)",
              new RectifiedFlow(),
              EULER,
              (path, steps) -> ExactSampling.densityTimes(path, new LogitNormal(0, 1), steps),
              Colors.RF,
              Dash.DASHED,
              SeriesMarkers.CIRCLE),
          new Sampler(
              "cos",
              new Cosine(),
              EULER,
              ExactSampling::uniformTimes,
              Colors.V,
              Dash.SOLID,
              SeriesMarkers.SQUARE),
          new Sampler(
              "cos, DDIM",
              new Cosine(),
              RATIO,
              ExactSampling::uniformTimes,
              Colors.V,
              Dash.DASHED,
              SeriesMarkers.SQUARE),
          new Sampler(
              "linear",
              LinearPath.ldm(),
              EULER,
              ExactSampling::uniformTimes,
              Colors.EPS,
              Dash.SOLID,
              SeriesMarkers.TRIANGLE_UP),
          new Sampler(
              "linear, DDIM",
              LinearPath.ldm(),
              RATIO,
              ExactSampling::uniformTimes,
              Colors.EPS,
              Dash.DASHED,
              SeriesMarkers.TRIANGLE_UP),
          new Sampler(
              "edm(-1.20, 1.20)",
              new Edm(-1.2, 1.2),
              RATIO,
              ExactSampling::uniformTimes,
              Colors.EDM,
              Dash.SOLID,
              SeriesMarkers.DIAMOND),
          new Sampler(
              "edm, Karras steps",
              new Edm(-1.2, 1.2),
              RATIO,
              (path, steps) ->
                  TimeGrid.Karras.defaults().times(path, ScheduleRequest.ofSteps(steps)),
              Colors.EDM,
              Dash.DASHED,
              SeriesMarkers.DIAMOND));

  private Figure3() {}

  /** Samples and draws. */
  public static Rendering render() {
    LineMixture broad = new LineMixture(GaussianMixture.single(new double[] {0}, 0.5));
    LineMixture clusters =
        new LineMixture(GaussianMixture.uniform(new double[][] {{-1}, {1}}, 0.05));
    Miniature study = Miniature.of("formulations");
    LineChart left = chart("Data N(0, 0.25)");
    LineChart right = chart("Data: two clusters at ±1, std 0.05");
    DataTable.Builder table =
        DataTable.of(
            "figure-03-exact-error", "Exact sampling error", "data", "sampler", "steps", "error");
    draw(left, broad, "N(0, 0.25)", table);
    draw(right, clusters, "clusters at -1 and 1, std 0.05", table);
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-03-exact-error",
                "Sampling error over the number of steps for eight samplers on an exact model, for"
                    + " a broad Gaussian and for two tight clusters",
                new Panels(2, CAUTION, left, right)),
            trained(study)),
        List.of(table.buildData(), vectors()),
        List.of(
            CAUTION,
            "The second picture is of sixteen formulations trained here; Table 1 says how.",
            "The error is the root mean square distance between the sampler's result and the exact"
                + " end of the ODE from the same noise. rf, cos and linear take Euler steps in t,"
                + " equal ones unless the legend says otherwise; edm and the DDIM curves take Euler"
                + " steps in the noise-to-data ratio b/a, since b is unbounded in t on edm. edm"
                + " starts at b = 80, and linear at t = 1, where it is not quite pure noise."));
  }

  /** Trained networks: Frechet distance over steps, as in the paper but for what is trained. */
  private static NamedPicture trained(Miniature study) {
    LineChart chart =
        VariantLines.chart(
                "Trained for minutes, moving average, guidance 5",
                "sampling steps",
                "Frechet distance of pixel statistics")
            .xFormat("0");
    study.cells("steps").draw(chart, 0, 1);
    return new NamedPicture(
        "figure-03-miniature",
        "Frechet distance over the number of sampling steps for sixteen trained formulations",
        new Panels(1, "", chart));
  }

  private static LineChart chart(String title) {
    return new LineChart(title, "sampling steps", "error of the sample, in units of the data")
        .logX(1.8, 110)
        .logRange(8e-4, 1.2)
        .legend(LegendPosition.OutsideE)
        .xFormat("0");
  }

  private static void draw(
      LineChart chart, LineMixture data, String dataName, DataTable.Builder table) {
    double[] steps = new double[STEPS.length];
    for (int i = 0; i < STEPS.length; i++) {
      steps[i] = STEPS[i];
    }
    for (Sampler sampler : SAMPLERS) {
      double[] errors = Grids.map(steps, n -> sampler.error(data, (int) n));
      chart.line(sampler.name(), steps, errors, sampler.color(), sampler.dash(), sampler.marker());
      for (int i = 0; i < STEPS.length; i++) {
        table.row(dataName, sampler.name(), Integer.toString(STEPS[i]), Grids.full(errors[i]));
      }
    }
  }

  /** Where Euler ends from noise 1 on N(0, 0.25); the exact ODE ends at 0.5. */
  private static DataTable vectors() {
    DataTable.Builder table =
        DataTable.of(
            "figure-03-euler-vectors",
            "Euler from noise 1 on data N(0, 0.25); the exact ODE ends at 0.5",
            "path",
            "5 steps",
            "10 steps",
            "25 steps",
            "50 steps");
    for (NoisePath path : List.of(new RectifiedFlow(), new Cosine(), LinearPath.ldm())) {
      String[] row = new String[5];
      row[0] = path.name();
      for (int i = 0; i < 4; i++) {
        int steps = new int[] {5, 10, 25, 50}[i];
        row[i + 1] = Grids.fixed(ExactEnds.fromUnitNoise(path, EULER, steps), 6);
      }
      table.row(row);
    }
    return table.build();
  }
}
