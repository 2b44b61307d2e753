package org.rectiflow.paper.items;

import java.awt.Color;
import java.util.Arrays;
import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.rectiflow.evaluation.lab.GaussianMixture;
import org.rectiflow.evaluation.lab.LineMixture;
import org.rectiflow.evaluation.lab.LossFloor;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.Dash;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;

/**
 * Pictures of the equations of Sections 2 and 3, which the paper prints without pictures: the noise
 * paths, the loss weights as functions of the log-SNR, and the loss that no network can avoid.
 */
public final class Equations {

  private static final int POINTS = 300;
  private static final int DENSE = 400;
  private static final double MAX_LOG_SNR = 12;

  private static final List<String> FLOORS =
      List.of(
          "rf",
          "rf/lognorm(0.00,1.00)",
          "rf/lognorm(1.00,0.60)",
          "rf/lognorm(0.50,0.60)",
          "rf/mode(1.29)",
          "rf/cosmap",
          "eps/linear",
          "v/linear",
          "eps/cos",
          "v/cos",
          "edm(-1.20,1.20)",
          "edm(0.00,0.60)",
          "edm/rf",
          "edm/cos");

  private record Curve(String name, Color color, Dash dash) {}

  private Equations() {}

  /** Draws all three pictures. */
  public static Rendering render() {
    DataTable.Builder paths =
        DataTable.of("equations-paths", "Noise paths", "path", "t", "a", "b", "log-SNR");
    DataTable.Builder weights =
        DataTable.of("equations-weights", "Loss weights", "formulation", "lambda", "t", "w");
    DataTable.Builder floors =
        DataTable.of("equations-loss-floor", "Loss floors", "data", "t", "floor");
    return new Rendering(
        List.of(
            new NamedPicture(
                "equations-paths",
                "Coefficients a and b of four noise paths over time, and their log-SNR",
                paths(paths)),
            new NamedPicture(
                "equations-weights",
                "Loss weights of ten formulations over the log-SNR, scaled to 1 at log-SNR 0",
                weights(weights)),
            new NamedPicture(
                "equations-loss-floor",
                "The loss of a perfect velocity network over time, for Gaussian data and for tight"
                    + " clusters",
                floors(floors))),
        List.of(paths.buildData(), weights.buildData(), floors.buildData(), formulationFloors()),
        List.of(
            "The weight is that of the loss -1/2 E[w_t λ'_t |ε_Θ - ε|²] of Section 2, with t uniform."
                + " Over the log-SNR it does not depend on how a path counts time, so formulations"
                + " of different paths can be compared. rf/lognorm(m, s) and edm(P_m, P_s) with equal"
                + " numbers draw the same log-SNRs but weigh them differently.",
            "The loss floor is exact: for data N(0, s²) it is s² / ((1-t)² s² + t²). For s = 1 it is"
                + " largest at t = 1/2, which is what Section 3.1 means when it calls intermediate"
                + " timesteps harder; other data moves the peak.",
            "The table integrates the floor over the timesteps of each formulation. No training can get"
                + " below it, and it differs so much that losses of different formulations cannot be"
                + " compared, as Section 5.1 remarks."));
  }

  private static Panels paths(DataTable.Builder table) {
    List<NoisePath> paths =
        List.of(new RectifiedFlow(), new Cosine(), LinearPath.ldm(), new Edm(-1.2, 1.2));
    List<Curve> curves =
        List.of(
            new Curve("rf", Colors.RF, Dash.SOLID),
            new Curve("cos", Colors.V, Dash.SOLID),
            new Curve("linear", Colors.EPS, Dash.SOLID),
            new Curve("edm(-1.20, 1.20)", Colors.EDM, Dash.SOLID));
    LineChart coefficients =
        new LineChart(
                "z = a x0 + b ε (eq. 2)", "time t (0: data, 1: noise)", "a (solid), b (dashed)")
            .xRange(0, 1)
            .yRange(0, 2)
            .legend(LegendPosition.InsideNW);
    LineChart logSnr =
        new LineChart("Log-SNR λ = ln(a²/b²)", "time t (0: data, 1: noise)", "log-SNR λ")
            .xRange(0, 1)
            .yRange(-MAX_LOG_SNR, MAX_LOG_SNR);
    double[] t = Grids.middles(POINTS);
    for (int i = 0; i < paths.size(); i++) {
      NoisePath path = paths.get(i);
      Curve curve = curves.get(i);
      coefficients.line(curve.name(), t, Grids.map(t, path::a), curve.color(), Dash.SOLID);
      coefficients.unlisted(curve.name() + " b", t, Grids.map(t, path::b), curve.color());
      logSnr.line(curve.name(), t, Grids.map(t, path::logSnr), curve.color(), curve.dash());
      for (double time : t) {
        table.row(
            curve.name(),
            Grids.full(time),
            Grids.full(path.a(time)),
            Grids.full(path.b(time)),
            Grids.full(path.logSnr(time)));
      }
    }
    return new Panels(2, "", coefficients, logSnr);
  }

  private static Panels weights(DataTable.Builder table) {
    LineChart flows = weightChart("Loss weights: rf");
    LineChart others = weightChart("Loss weights: the other paths");
    draw(flows, "rf", Colors.NEUTRAL, Dash.DOTTED, table);
    String[] shown = {
      "rf/lognorm(0.00,1.00)",
      "rf/lognorm(1.00,0.60)",
      "rf/lognorm(0.50,0.60)",
      "rf/mode(1.29)",
      "rf/cosmap"
    };
    for (int i = 0; i < shown.length; i++) {
      draw(flows, shown[i], Colors.ramp(i, shown.length), i < 3 ? Dash.SOLID : Dash.DASHED, table);
    }
    draw(others, "rf/lognorm(0.00,1.00)", Colors.RF, Dash.DOTTED, table);
    draw(others, "eps/linear", Colors.EPS, Dash.SOLID, table);
    draw(others, "eps/cos", Colors.EPS, Dash.DASHED, table);
    draw(others, "v/linear", Colors.V, Dash.SOLID, table);
    draw(others, "v/cos", Colors.V, Dash.DASHED, table);
    draw(others, "edm(-1.20,1.20)", Colors.EDM, Dash.SOLID, table);
    draw(others, "edm(0.00,0.60)", Colors.EDM, Dash.DASHED, table);
    return new Panels(2, "", flows, others);
  }

  private static LineChart weightChart(String title) {
    return new LineChart(title, "log-SNR λ (noise left, data right)", "weight w(λ) / w(0)")
        .xRange(-MAX_LOG_SNR, MAX_LOG_SNR)
        .logRange(1e-3, 1e3)
        .legend(LegendPosition.OutsideE);
  }

  private static void draw(
      LineChart chart, String name, Color color, Dash dash, DataTable.Builder table) {
    Formulation formulation = Formulation.parse(name);
    NoisePath path = formulation.path();
    double lowest = Math.max(-MAX_LOG_SNR, path.logSnr(1) + 1e-6);
    // Far log-SNRs of a narrow edm lie at times that round to 0 or 1, where no weight is defined.
    double[] lambda =
        Arrays.stream(Grids.linear(lowest, MAX_LOG_SNR, DENSE))
            .filter(l -> path.timestepOf(l) > 1e-12 && path.timestepOf(l) < 1 - 1e-12)
            .toArray();
    double[] weight = Grids.map(lambda, l -> formulation.equivalentWeight(path.timestepOf(l)));
    double middle = formulation.equivalentWeight(path.timestepOf(0));
    for (int i = 0; i < weight.length; i++) {
      table.row(
          name,
          Grids.full(lambda[i]),
          Grids.full(path.timestepOf(lambda[i])),
          Grids.full(weight[i]));
    }
    chart.line(name, lambda, Grids.map(weight, w -> w / middle), color, dash);
  }

  private static Panels floors(DataTable.Builder table) {
    LineChart gaussian =
        new LineChart("Data N(0, s²)", "timestep t (0: data, 1: noise)", "loss floor per dimension")
            .xRange(0, 1)
            .yRange(0, 5)
            .legend(LegendPosition.InsideNW);
    LineChart clusters =
        new LineChart(
                "Data: two clusters at ±1",
                "timestep t (0: data, 1: noise)",
                "loss floor per dimension")
            .xRange(0, 1)
            .yRange(0, 5)
            .legend(LegendPosition.InsideNW);
    double[] stds = {0.5, 1, 2};
    for (int i = 0; i < stds.length; i++) {
      LineMixture data = new LineMixture(GaussianMixture.single(new double[] {0}, stds[i]));
      drawFloor(gaussian, "s = " + stds[i], data, Colors.ramp(i, 3), table, "N(0, s^2) ");
    }
    double[] widths = {0.5, 0.2, 0.05};
    for (int i = 0; i < widths.length; i++) {
      LineMixture data =
          new LineMixture(GaussianMixture.uniform(new double[][] {{-1}, {1}}, widths[i]));
      drawFloor(clusters, "std " + widths[i], data, Colors.ramp(i, 3), table, "clusters, ");
    }
    return new Panels(2, "", gaussian, clusters);
  }

  private static DataTable formulationFloors() {
    LineMixture normal = new LineMixture(GaussianMixture.single(new double[] {0}, 1));
    LineMixture clusters =
        new LineMixture(GaussianMixture.uniform(new double[][] {{-1}, {1}}, 0.2));
    DataTable.Builder table =
        DataTable.of(
            "equations-formulation-floors",
            "Training loss of a perfect network, per dimension",
            "formulation",
            "data N(0, 1)",
            "two clusters at ±1, std 0.2");
    for (String name : FLOORS) {
      Formulation formulation = Formulation.parse(name);
      table.row(
          name,
          Grids.fixed(LossFloor.of(normal, formulation, 400), 4),
          Grids.fixed(LossFloor.of(clusters, formulation, 400), 4));
    }
    return table.build();
  }

  private static void drawFloor(
      LineChart chart,
      String name,
      LineMixture data,
      Color color,
      DataTable.Builder table,
      String prefix) {
    double[] t = Grids.middles(100);
    double[] floor =
        Grids.map(t, time -> LossFloor.at(data, new RectifiedFlow(), Prediction.VELOCITY, time));
    chart.line(name, t, floor, color, Dash.SOLID);
    for (int i = 0; i < t.length; i++) {
      table.row(prefix + name, Grids.full(t[i]), Grids.full(floor[i]));
    }
  }
}
