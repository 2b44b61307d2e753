package org.rectiflow.pipeline.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.rectiflow.engine.Profile.Entry;
import org.rectiflow.engine.Roofs;
import org.rectiflow.pipeline.io.AtomicFiles;

/**
 * Draws rooflines: what each kernel reaches over its FLOPs per byte, and the roof of each device
 * above. Both axes are logarithmic.
 */
final class RooflinePlot {
  private static final int MOST_OPS = 6;
  private static final Color[] COLORS = {
    new Color(0x1f4e9c), new Color(0xc0392b), new Color(0x2e7d32), new Color(0x8e44ad)
  };
  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE,
    SeriesMarkers.SQUARE,
    SeriesMarkers.DIAMOND,
    SeriesMarkers.TRIANGLE_UP,
    SeriesMarkers.TRIANGLE_DOWN,
    SeriesMarkers.CROSS
  };

  private RooflinePlot() {}

  /** Writes NAME.png and NAME.svg. */
  static void write(Path name, List<DeviceRun> runs) throws IOException {
    XYChart chart = chart(runs);
    file(name, ".png", out -> BitmapEncoder.saveBitmap(chart, out, BitmapFormat.PNG));
    file(
        name,
        ".svg",
        out -> VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsFormat.SVG));
  }

  @FunctionalInterface
  private interface Content {
    void write(OutputStream out) throws IOException;
  }

  private static void file(Path name, String ending, Content content) throws IOException {
    Path file = name.resolveSibling(name.getFileName() + ending);
    AtomicFiles.write(
        file,
        temporary -> {
          try (OutputStream out = Files.newOutputStream(temporary)) {
            content.write(out);
          }
        });
  }

  /** The ops that compute and take the most time, of one device. */
  private static List<Entry> points(DeviceRun run) {
    return run.byOp().values().stream()
        .filter(e -> e.cost().flops() > 0 && e.nanos() > 0)
        .sorted(Comparator.comparingLong(Entry::nanos).reversed())
        .limit(MOST_OPS)
        .toList();
  }

  static XYChart chart(List<DeviceRun> runs) {
    XYChart chart =
        new XYChartBuilder()
            .width(960)
            .height(600)
            .title("Roofline")
            .xAxisTitle("FLOP/byte")
            .yAxisTitle("GFLOP/s")
            .build();
    var styler = chart.getStyler();
    styler.setLocale(Locale.ROOT);
    styler.setXAxisLogarithmic(true);
    styler.setYAxisLogarithmic(true);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setLegendPosition(LegendPosition.OutsideE);
    styler.setMarkerSize(9);
    double least = 0.1;
    double most = 1000;
    double low = Double.MAX_VALUE;
    double high = 1;
    for (DeviceRun run : runs) {
      for (Entry e : points(run)) {
        least = Math.min(least, ProfileReport.intensity(e));
        most = Math.max(most, ProfileReport.intensity(e));
        low = Math.min(low, e.gflops());
        high = Math.max(high, e.gflops());
      }
      high = Math.max(high, run.roofs().map(Roofs::gflops).orElse(1.0));
    }
    styler.setXAxisMin(decade(least, false));
    styler.setXAxisMax(decade(most, true));
    styler.setYAxisMin(decade(Math.min(low, high / 10), false));
    styler.setYAxisMax(decade(high, true));
    Map<String, Marker> markers = new HashMap<>();
    for (int i = 0; i < runs.size(); i++) {
      Color color = COLORS[i % COLORS.length];
      DeviceRun run = runs.get(i);
      Optional<Roofs> roofs = run.roofs();
      if (roofs.isPresent()) {
        roof(chart, run.device(), roofs.get(), decade(least, false), decade(most, true), color);
      }
      for (Entry e : points(run)) {
        Marker marker =
            markers.computeIfAbsent(e.op(), _ -> MARKERS[markers.size() % MARKERS.length]);
        XYSeries series =
            chart.addSeries(
                run.device() + " " + e.op(),
                new double[] {ProfileReport.intensity(e)},
                new double[] {e.gflops()});
        series.setLineStyle(new BasicStroke(0));
        series.setMarker(marker);
        series.setMarkerColor(color);
        series.setLineColor(color);
      }
    }
    return chart;
  }

  /** Two straight lines: bandwidth times intensity, up to the most that is computed. */
  private static void roof(
      XYChart chart, String device, Roofs roofs, double from, double to, Color color) {
    double ridge = roofs.gflops() / roofs.gigabytesPerSecond();
    double floor = chart.getStyler().getYAxisMin();
    double begin = Math.max(from, floor / roofs.gigabytesPerSecond());
    XYSeries series =
        chart.addSeries(
            String.format(
                Locale.ROOT,
                "%s: %.0f GFLOP/s, %.0f GB/s",
                device,
                roofs.gflops(),
                roofs.gigabytesPerSecond()),
            new double[] {begin, Math.clamp(ridge, begin, to), to},
            new double[] {
              begin * roofs.gigabytesPerSecond(),
              Math.min(roofs.gflops(), to * roofs.gigabytesPerSecond()),
              Math.min(roofs.gflops(), to * roofs.gigabytesPerSecond())
            });
    series.setMarker(SeriesMarkers.NONE);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(2));
  }

  /** The power of ten at or below, or above. */
  private static double decade(double value, boolean up) {
    double exponent = Math.log10(value);
    return Math.pow(10, up ? Math.ceil(exponent) : Math.floor(exponent));
  }
}
