package org.rectiflow.paper.draw;

import java.awt.Color;
import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Charts with a line for each variant, in the colours of the paper's Figure 3 where it has one. */
public final class VariantLines {
  private static final List<Dash> DASHES =
      List.of(Dash.SOLID, Dash.DASHED, Dash.DOTTED, Dash.DASH_DOTTED);
  private static final List<Marker> MARKERS =
      List.of(
          SeriesMarkers.CIRCLE,
          SeriesMarkers.SQUARE,
          SeriesMarkers.DIAMOND,
          SeriesMarkers.TRIANGLE_UP,
          SeriesMarkers.TRIANGLE_DOWN);

  private final List<String> names;

  /**
   * @param names of all lines
   */
  public VariantLines(List<String> names) {
    this.names = List.copyOf(names);
  }

  /** An empty chart with its legend beside it. */
  public static LineChart chart(String title, String x, String y) {
    return new LineChart(title, x, y).legend(LegendPosition.OutsideE).room();
  }

  /** Adds the line of a name; nothing if it has no points. */
  public void draw(LineChart chart, String name, double[] x, double[] y) {
    if (x.length == 0) {
      return;
    }
    int family = family(name);
    chart.line(
        name,
        x,
        y,
        color(name),
        DASHES.get(family % DASHES.size()),
        MARKERS.get(family % MARKERS.size()));
  }

  private Color color(String name) {
    if (name.startsWith("edm")) {
      return Colors.EDM;
    }
    if (name.startsWith("eps/")) {
      return Colors.EPS;
    }
    if (name.startsWith("v/")) {
      return Colors.V;
    }
    if (name.equals("rf") || name.startsWith("rf/")) {
      return Colors.RF;
    }
    return Colors.ramp(names.indexOf(name), names.size());
  }

  /** Which of the lines of its colour it is. */
  private int family(String name) {
    int same = 0;
    for (String other : names.subList(0, names.indexOf(name))) {
      same += color(other).equals(color(name)) ? 1 : 0;
    }
    return same;
  }
}
