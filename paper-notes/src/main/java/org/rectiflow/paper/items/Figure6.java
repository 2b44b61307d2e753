package org.rectiflow.paper.items;

import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.Dash;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.ResolutionShift;

/** Figure 6, top left: the timestep shift for higher resolutions (eqs. 23 to 25). */
public final class Figure6 {

  private static final double[] ALPHAS = {1, 1.5, 2, 3, 4};
  private static final int POINTS = 400;

  private Figure6() {}

  /** Draws the shift and what it does to the log-SNR. */
  public static Rendering render() {
    NoisePath path = new RectifiedFlow();
    LineChart shift =
        new LineChart(
                "Shifted timestep (eq. 23)",
                "timestep t_n at the lower resolution",
                "timestep t_m at the higher resolution")
            .xRange(0, 1)
            .yRange(0, 1)
            .legend(LegendPosition.InsideSE);
    LineChart logSnr =
        new LineChart(
                "Shifted log-SNR (eq. 25)",
                "timestep t_n at the lower resolution",
                "log-SNR λ(t_m)")
            .xRange(0, 1)
            .yRange(-12, 12);
    double[] t = Grids.linear(0, 1, POINTS);
    double[] inner = Grids.middles(POINTS);
    String[] columns = new String[2 * ALPHAS.length + 1];
    columns[0] = "t_n";
    for (int i = 0; i < ALPHAS.length; i++) {
      ResolutionShift shifted = new ResolutionShift(ALPHAS[i]);
      String name = "√(m/n) = " + Grids.fixed(ALPHAS[i], 1);
      Dash dash = ALPHAS[i] == 3 ? Dash.SOLID : i == 0 ? Dash.DOTTED : Dash.DASHED;
      shift.line(name, t, Grids.map(t, shifted::apply), Colors.ramp(i, ALPHAS.length), dash);
      logSnr.line(
          name,
          inner,
          Grids.map(inner, u -> path.logSnr(shifted.apply(u))),
          Colors.ramp(i, ALPHAS.length),
          dash);
      columns[1 + i] = "t_m at alpha " + ALPHAS[i];
      columns[1 + ALPHAS.length + i] = "lambda at alpha " + ALPHAS[i];
    }
    DataTable.Builder table =
        DataTable.of("figure-06-shift", "Timestep shift for higher resolutions", columns);
    for (double time : inner) {
      String[] row = new String[columns.length];
      row[0] = Grids.full(time);
      for (int i = 0; i < ALPHAS.length; i++) {
        double moved = new ResolutionShift(ALPHAS[i]).apply(time);
        row[1 + i] = Grids.full(moved);
        row[1 + ALPHAS.length + i] = Grids.full(path.logSnr(moved));
      }
      table.row(row);
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-06-shift",
                "Left: the shifted timestep over the timestep for five ratios; right: the log-SNR,"
                    + " which the shift lowers by the same amount everywhere",
                new Panels(2, "", shift, logSnr))),
        List.of(table.buildData()),
        List.of(
            "The solid curve is α = √(m/n) = 3, which the paper uses for training and sampling at"
                + " 1024 x 1024. The theory gives 4 from 256 x 256 to 1024 x 1024; 3 was chosen by"
                + " human preference. The set of curves in the paper's panel is not known."));
  }
}
