package org.rectiflow.benchmarks.cli;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.rectiflow.benchmarks.model.ModelBench;
import org.rectiflow.benchmarks.model.Roofline;
import org.rectiflow.pipeline.io.AtomicFiles;

/** Pictures of what was measured. */
final class Plots {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 600;

  /** Kernels with a smaller share of the time are left out of the picture. */
  private static final double LEAST_SHARE = 0.002;

  private Plots() {}

  /** A roofline for each size; with two sizes or more also time against operations. */
  static void write(Path folder, List<ModelBench.Result> results) throws IOException {
    for (ModelBench.Result r : results) {
      String name = "roofline-%dx%d".formatted(r.setting().width(), r.setting().height());
      write(folder, name, roofline(r));
    }
    if (results.size() > 1) {
      write(folder, "growth", growth(results));
    }
  }

  private static void write(Path folder, String name, XYChart chart) throws IOException {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    try {
      chart.paint(g, WIDTH, HEIGHT);
    } finally {
      g.dispose();
    }
    AtomicFiles.write(
        folder.resolve(name + ".png"), file -> ImageIO.write(image, "png", file.toFile()));
    VectorGraphics2D vectors = new VectorGraphics2D();
    chart.paint(vectors, WIDTH, HEIGHT);
    PageSize page = new PageSize(0, 0, WIDTH, HEIGHT);
    AtomicFiles.write(
        folder.resolve(name + ".svg"),
        file -> {
          try (var stream = Files.newOutputStream(file)) {
            Processors.get("svg").getDocument(vectors.getCommands(), page).writeTo(stream);
          }
        });
  }

  private static XYChart chart(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .theme(Styler.ChartTheme.Matlab)
            .build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    return chart;
  }

  private static XYChart roofline(ModelBench.Result r) {
    XYChart chart =
        chart(
            "Kernels of one step at %dx%d".formatted(r.setting().width(), r.setting().height()),
            "operations for each byte",
            "GFLOP/s");
    Roofline roof = r.roofline();
    double ridge = roof.gflops() / roof.gigabytes();
    List<Roofline.Row> rows =
        r.rows().stream().filter(w -> w.intensity() > 0 && w.share() >= LEAST_SHARE).toList();
    double from = rows.stream().mapToDouble(Roofline.Row::intensity).min().orElse(1) / 2;
    double to =
        Math.max(2 * ridge, rows.stream().mapToDouble(Roofline.Row::intensity).max().orElse(1) * 2);
    XYSeries line =
        chart.addSeries(
            "roofline",
            new double[] {Math.min(from, ridge), ridge, to},
            new double[] {Math.min(from, ridge) * roof.gigabytes(), roof.gflops(), roof.gflops()});
    line.setMarker(SeriesMarkers.NONE);
    for (Roofline.Row row : rows) {
      String name = "%s %.0f%%".formatted(row.op(), 100 * row.share());
      XYSeries point =
          chart.addSeries(name, new double[] {row.intensity()}, new double[] {row.gflops()});
      point.setMarker(SeriesMarkers.CIRCLE);
    }
    return chart;
  }

  private static XYChart growth(List<ModelBench.Result> results) {
    XYChart chart =
        chart("Seconds per step against operations", "TFLOP per step", "seconds per step");
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNW);
    List<Double> work = new ArrayList<>();
    List<Double> measured = new ArrayList<>();
    List<Double> bound = new ArrayList<>();
    for (ModelBench.Result r : results) {
      work.add(r.flops() * 1e-12);
      measured.add(r.stepSeconds().median());
      bound.add(r.flops() * 1e-9 / r.roofline().gflops());
    }
    chart.addSeries("measured", work, measured).setMarker(SeriesMarkers.CIRCLE);
    chart.addSeries("at the FMA peak", work, bound).setMarker(SeriesMarkers.NONE);
    return chart;
  }
}
