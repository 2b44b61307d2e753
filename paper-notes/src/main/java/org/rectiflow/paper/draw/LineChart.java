package org.rectiflow.paper.draw;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A chart of lines in one style: white, labelled axes, dark text, lines that survive printing. */
public final class LineChart {

  private static final int FONT_SIZE = 12;
  private static final int DENSE_POINTS = 800;

  private final XYChart chart;

  /**
   * An empty chart.
   *
   * @param title one line
   * @param x title of the horizontal axis, with its unit where it has one
   * @param y title of the vertical axis
   */
  public LineChart(String title, String x, String y) {
    chart = new XYChartBuilder().width(520).height(400).title(title).build();
    chart.setXAxisTitle(x);
    chart.setYAxisTitle(y);
    var styler = chart.getStyler();
    styler.setLocale(Locale.ROOT);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(Color.WHITE);
    styler.setPlotBorderColor(Colors.INK);
    styler.setPlotGridLinesColor(Colors.GRID);
    styler.setPlotGridLinesStroke(new BasicStroke(0.7f));
    styler.setChartFontColor(Colors.INK);
    styler.setAxisTickLabelsColor(Colors.INK);
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, FONT_SIZE + 1));
    styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE));
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE - 1));
    styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE - 1));
    styler.setLegendBorderColor(Colors.GRID);
    styler.setLegendSeriesLineLength(28);
    styler.setLegendPadding(6);
    styler.setPlotMargin(0);
    styler.setPlotContentSize(1.0);
    styler.setMarkerSize(6);
    styler.setLegendPosition(LegendPosition.InsideNE);
    styler.setXAxisTickMarkSpacingHint(80);
    styler.setYAxisTickMarkSpacingHint(50);
  }

  /** Puts the legend elsewhere than inside at the upper right. */
  public LineChart legend(LegendPosition position) {
    chart.getStyler().setLegendPosition(position);
    return this;
  }

  /** Leaves room between curves and border, so that markers are whole and the ends get ticks. */
  public LineChart room() {
    chart.getStyler().setPlotContentSize(0.94);
    return this;
  }

  /** Fixes the range of the horizontal axis, with a little room so that the ends get ticks. */
  public LineChart xRange(double min, double max) {
    chart.getStyler().setXAxisMin(min - 0.015 * (max - min));
    chart.getStyler().setXAxisMax(max + 0.015 * (max - min));
    return this;
  }

  /** Fixes the range of the vertical axis, with a little room so that the ends get ticks. */
  public LineChart yRange(double min, double max) {
    chart.getStyler().setYAxisMin(min - 0.015 * (max - min));
    chart.getStyler().setYAxisMax(max + 0.015 * (max - min));
    return this;
  }

  /** Fixes the range of a logarithmic vertical axis. */
  public LineChart logRange(double min, double max) {
    chart.getStyler().setYAxisLogarithmic(true);
    chart.getStyler().setYAxisMin(min);
    chart.getStyler().setYAxisMax(max);
    return this;
  }

  /** Makes the horizontal axis logarithmic, of this range, with labels between the decades too. */
  public LineChart logX(double min, double max) {
    chart.getStyler().setPlotContentSize(1.0);
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setXAxisLogarithmicDecadeOnly(false);
    chart.getStyler().setXAxisTickLabelsFormattingFunction(LineChart::oneTwoFive);
    chart.getStyler().setXAxisMin(min);
    chart.getStyler().setXAxisMax(max);
    return this;
  }

  /** The number where it is 1, 2 or 5 times a power of ten; more labels would overlap. */
  private static String oneTwoFive(double value) {
    double mantissa = value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9));
    boolean label = Math.abs(mantissa - 1) < 1e-6 || Math.abs(mantissa - 2) < 1e-6;
    label |= Math.abs(mantissa - 5) < 1e-6;
    return label
        ? new DecimalFormat("0.####", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(value)
        : "";
  }

  /** Formats the numbers at the horizontal axis, by a {@link java.text.DecimalFormat} pattern. */
  public LineChart xFormat(String pattern) {
    chart.getStyler().setXAxisDecimalPattern(pattern);
    return this;
  }

  /** Formats the numbers at the vertical axis. */
  public LineChart yFormat(String pattern) {
    chart.getStyler().setYAxisDecimalPattern(pattern);
    return this;
  }

  /** Adds a line without markers. */
  public LineChart line(String name, double[] x, double[] y, Color color, Dash dash) {
    curve(name, x, y, color, dash);
    return this;
  }

  /** Adds a dashed line that the legend does not list. */
  public LineChart unlisted(String name, double[] x, double[] y, Color color) {
    curve(name, x, y, color, Dash.DASHED).setShowInLegend(false);
    return this;
  }

  /**
   * XChart strokes a line segment by segment, so dashes begin anew at every point and an SVG gets
   * an element for each; smoothed lines are one path. Smoothing bends between points, which shows
   * unless they are closer than pixels.
   */
  private XYSeries curve(String name, double[] x, double[] y, Color color, Dash dash) {
    int between = Math.max(1, (DENSE_POINTS + x.length - 3) / (x.length - 1));
    double[] denseX = new double[(x.length - 1) * between + 1];
    double[] denseY = new double[denseX.length];
    for (int i = 0; i < denseX.length; i++) {
      int k = Math.min(i / between, x.length - 2);
      double share = (double) (i - k * between) / between;
      denseX[i] = x[k] + share * (x[k + 1] - x[k]);
      denseY[i] = y[k] + share * (y[k + 1] - y[k]);
    }
    XYSeries series = series(name, denseX, denseY, color, dash, SeriesMarkers.NONE);
    series.setSmooth(true);
    return series;
  }

  /** Adds a line with a marker at each point. */
  public LineChart line(
      String name, double[] x, double[] y, Color color, Dash dash, Marker marker) {
    series(name, x, y, color, dash, marker);
    return this;
  }

  private XYSeries series(
      String name, double[] x, double[] y, Color color, Dash dash, Marker marker) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color);
    series.setLineStyle(dash.stroke());
    series.setMarker(marker);
    series.setMarkerColor(color);
    return series;
  }

  /** Adds points that no line connects. */
  public LineChart points(String name, double[] x, double[] y, Color color, Marker marker) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    series.setMarker(marker);
    series.setMarkerColor(color);
    return this;
  }

  /** The chart itself. */
  public XYChart chart() {
    return chart;
  }
}
