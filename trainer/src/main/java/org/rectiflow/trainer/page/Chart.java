package org.rectiflow.trainer.page;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Curves over the steps of a run, as an HTML figure with inline SVG.
 *
 * @param title what is drawn, with its unit
 * @param note one sentence, or empty
 * @param series at least one has a point, else nothing is drawn
 * @param logarithmic whether the vertical axis is; then only positive values are drawn
 */
record Chart(String title, String note, List<Series> series, boolean logarithmic) {
  private static final int MOST_POINTS = 400;
  private static final int WIDTH = 600;
  private static final int HEIGHT = 250;
  private static final int LEFT = 56;
  private static final int RIGHT = 590;
  private static final int TOP = 10;
  private static final int BOTTOM = 222;
  private static final int TICKS = 5;

  /** The highest part of the first values of a loss would press all that follows to the ground. */
  private static final double QUANTILE = 0.98;

  private static final int MANY = 100;

  /** Room for the whole of a point at the edge. */
  private static final int POINT = 4;

  Chart {
    series =
        series.stream()
            .map(s -> logarithmic ? positive(s) : s)
            .filter(s -> !s.points().isEmpty())
            .map(s -> s.thinned(MOST_POINTS))
            .toList();
  }

  private static Series positive(Series series) {
    return new Series(
        series.name(),
        series.points().stream().filter(p -> p.y() > 0).toList(),
        series.color(),
        series.faint());
  }

  boolean isEmpty() {
    return series.isEmpty();
  }

  /** The figure. */
  String html() {
    double[] xs =
        series.stream().flatMap(s -> s.points().stream()).mapToDouble(Series.Point::x).toArray();
    double[] ys =
        series.stream()
            .flatMap(s -> s.points().stream())
            .mapToDouble(p -> height(p.y()))
            .sorted()
            .toArray();
    double xMost = Math.max(1, Arrays.stream(xs).max().orElseThrow());
    double low = ys[0];
    boolean many = ys.length >= MANY;
    double high = ys[many ? (int) Math.ceil(QUANTILE * (ys.length - 1)) : ys.length - 1];
    double room = Math.max((high - low) * 0.05, 1e-9 + Math.abs(high) * 1e-3);
    low = !logarithmic && low >= 0 && low < 0.3 * high ? 0 : low - room;
    high += room;
    StringBuilder svg = new StringBuilder();
    svg.append(
        Html.format(
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" data-x=\"%s\" data-low=\"%s\" data-high=\"%s\" data-log=\"%s\">",
            WIDTH, HEIGHT, Html.escape(title), xMost, low, high, logarithmic));
    String clip = "c" + Integer.toHexString(title.hashCode());
    svg.append(
        Html.format(
            "<clipPath id=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>",
            clip, LEFT, TOP - POINT, RIGHT - LEFT + POINT, BOTTOM - TOP + 2 * POINT));
    for (double tick : ticks(low, high)) {
      double y = place(tick, low, high, BOTTOM, TOP);
      svg.append(
          Html.format(
              "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
              LEFT,
              RIGHT,
              y,
              y,
              LEFT - 6,
              y + 4,
              Html.number(logarithmic ? Math.pow(10, tick) : tick)));
    }
    for (double tick : nice(0, xMost)) {
      double x = place(tick, 0, xMost, LEFT, RIGHT);
      svg.append(
          Html.format(
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
              x, BOTTOM + 18, Html.number(tick)));
    }
    svg.append(Html.format("<g clip-path=\"url(#%s)\">", clip));
    for (Series s : series) {
      svg.append(line(s, xMost, low, high));
    }
    svg.append("</g></svg>");
    return Html.format(
        "<figure><figcaption>%s</figcaption>%s%s%s</figure>\n",
        Html.escape(title),
        svg,
        legend(),
        note.isEmpty() ? "" : "<p class=\"note\">" + Html.escape(note) + "</p>");
  }

  private String line(Series s, double xMost, double low, double high) {
    StringBuilder points = new StringBuilder();
    for (Series.Point p : s.points()) {
      points.append(
          Html.format(
              "%.1f,%.1f ",
              place(p.x(), 0, xMost, LEFT, RIGHT), place(height(p.y()), low, high, BOTTOM, TOP)));
    }
    // A single point would be an invisible line.
    String shape =
        s.points().size() == 1
            ? Html.format(
                "<circle r=\"3\" cx=\"%s\" cy=\"%s\" fill=\"%s\"/>",
                points.toString().strip().split(",", -1)[0],
                points.toString().strip().split(",", -1)[1],
                s.color())
            : "";
    return Html.format(
        "<polyline data-name=\"%s\" points=\"%s\" stroke=\"%s\"%s/>%s",
        Html.escape(s.name()),
        points.toString().strip(),
        s.color(),
        s.faint() ? " class=\"faint\"" : "",
        shape);
  }

  private String legend() {
    StringBuilder html = new StringBuilder("<ul class=\"legend\">");
    for (Series s : series) {
      if (!s.faint()) {
        html.append(
            Html.format(
                "<li><i style=\"background:%s\"></i>%s <b>%s</b></li>",
                s.color(), Html.escape(s.name()), Html.number(s.points().getLast().y())));
      }
    }
    return html.append("</ul>").toString();
  }

  private double height(double y) {
    return logarithmic ? Math.log10(y) : y;
  }

  private static double place(double value, double low, double high, double from, double to) {
    double at = from + (value - low) / (high - low) * (to - from);
    // Far outside of the drawing; clipped.
    return Math.clamp(at, -1e4, 1e4);
  }

  private double[] ticks(double low, double high) {
    if (!logarithmic) {
      return nice(low, high);
    }
    if (high - low < 1) {
      return Arrays.stream(nice(Math.pow(10, low), Math.pow(10, high))).map(Math::log10).toArray();
    }
    List<Double> ticks = new ArrayList<>();
    int step = (int) Math.max(1, Math.floor((high - low) / TICKS));
    for (int power = (int) Math.ceil(low); power <= high; power += step) {
      ticks.add((double) power);
    }
    return ticks.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** Round numbers from low to high, about five. */
  static double[] nice(double low, double high) {
    double raw = (high - low) / TICKS;
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    double step = power;
    for (double factor : new double[] {2, 5, 10}) {
      if (step < raw) {
        step = factor * power;
      }
    }
    List<Double> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12); i++) {
      ticks.add(i * step);
    }
    return ticks.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
