package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.Dash;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.scheduler.density.CosMap;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.density.Mode;
import org.rectiflow.scheduler.density.TimestepDensity;

/** Figure 11: the mode and logit-normal densities of training timesteps (eqs. 19, 20 and 22). */
public final class Figure11 {

  /** The seven values of s in the study: uniform from -1 to 1.75 (Section 5.1.1). */
  private static final int MODES = 7;

  private static final int POINTS = 400;

  private Figure11() {}

  /** Draws the figure. */
  public static Rendering render() {
    List<TimestepDensity> modes = new ArrayList<>();
    for (int i = 0; i < MODES; i++) {
      modes.add(new Mode(-1 + 2.75 * i / (MODES - 1)));
    }
    List<TimestepDensity> logitNormals =
        List.of(
            new LogitNormal(-0.5, 1.0),
            new LogitNormal(0.0, 1.0),
            new LogitNormal(0.5, 1.0),
            new LogitNormal(0.5, 0.6),
            new LogitNormal(1.0, 0.6),
            new LogitNormal(0.0, 2.2));
    LineChart left =
        new LineChart("mode(s) and CosMap", "timestep t (0: data, 1: noise)", "density π(t)")
            .xRange(0, 1)
            .yRange(0, 4)
            .legend(LegendPosition.OutsideE);
    LineChart right =
        new LineChart("lognorm(m, s)", "timestep t (0: data, 1: noise)", "density π(t)")
            .xRange(0, 1)
            .yRange(0, 4)
            .legend(LegendPosition.OutsideE);
    double[] t = Grids.middles(POINTS);
    for (int i = 0; i < MODES; i++) {
      String name = "s = " + Grids.fixed(((Mode) modes.get(i)).scale(), 2);
      left.line(name, t, Grids.map(t, modes.get(i)::pdf), Colors.ramp(i, MODES), Dash.SOLID);
    }
    left.line("CosMap", t, Grids.map(t, new CosMap()::pdf), Colors.NEUTRAL, Dash.DASHED);
    for (int i = 0; i < logitNormals.size(); i++) {
      LogitNormal density = (LogitNormal) logitNormals.get(i);
      String name =
          "m = %s, s = %s".formatted(Grids.fixed(density.mean(), 2), Grids.fixed(density.std(), 2));
      right.line(
          name,
          t,
          Grids.map(t, density::pdf),
          Colors.ramp(i, logitNormals.size()),
          i < 3 ? Dash.SOLID : i < 5 ? Dash.DASHED : Dash.DOTTED);
    }
    List<TimestepDensity> all = new ArrayList<>(modes);
    all.add(new CosMap());
    all.addAll(logitNormals);
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-11-densities",
                "Densities of training timesteps: mode with seven scales and CosMap at the left,"
                    + " six logit-normal densities at the right",
                new Panels(2, "", left, right))),
        List.of(densities(t, all)),
        List.of(
            "The parameters of the paper's curves exist only inside its bitmap. Shown are the seven"
                + " s of the study and the (m, s) named in Tables 1 and 2, with the widest s of the"
                + " grid. mode(1.75) rises to 904 at t = 1/2 and is cut off at 4."));
  }

  private static DataTable densities(double[] t, List<TimestepDensity> densities) {
    String[] columns = new String[densities.size() + 1];
    columns[0] = "t";
    for (int i = 0; i < densities.size(); i++) {
      columns[i + 1] = densities.get(i).name();
    }
    DataTable.Builder table =
        DataTable.of("figure-11-densities", "Densities of training timesteps", columns);
    for (double time : t) {
      String[] row = new String[columns.length];
      row[0] = Grids.full(time);
      for (int i = 0; i < densities.size(); i++) {
        row[i + 1] = Grids.full(densities.get(i).pdf(time));
      }
      table.row(row);
    }
    return table.buildData();
  }
}
