package org.rectiflow.paper.draw;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;

class VariantLinesTest {
  private static final int WIDTH = 520;
  private static final int HEIGHT = 400;

  /** Few values along, the first and last of them at the ends: each has its tick, no other has. */
  @Test
  void everyDepthHasItsTick() {
    LineChart chart = VariantLines.chart("title", "depth", "distance").xFormat("0");
    VariantLines lines = new VariantLines(List.of("small", "large"));
    lines.draw(chart, "small", new double[] {1, 2, 3}, new double[] {0.7, 0.65, 0.47});
    lines.draw(chart, "large", new double[] {1, 2, 3}, new double[] {0.92, 0.63, 0.48});
    BufferedImage image = painted(chart.chart());
    assertThat(hasGridLine(image, chart.chart(), 1)).isTrue();
    assertThat(hasGridLine(image, chart.chart(), 1.5)).isFalse();
    assertThat(hasGridLine(image, chart.chart(), 2)).isTrue();
    assertThat(hasGridLine(image, chart.chart(), 2.5)).isFalse();
    assertThat(hasGridLine(image, chart.chart(), 3)).isTrue();
  }

  private static BufferedImage painted(XYChart chart) {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    try {
      chart.paint(g, WIDTH, HEIGHT);
    } finally {
      g.dispose();
    }
    return image;
  }

  /** Ticks go on as lines of the grid, from the lowest value to the highest and beyond. */
  private static boolean hasGridLine(BufferedImage image, XYChart chart, double x) {
    int column = (int) Math.round(chart.getScreenXFromChart(x));
    int top = (int) chart.getScreenYFromChart(0.92);
    int bottom = (int) chart.getScreenYFromChart(0.47);
    long dark =
        IntStream.range(top, bottom)
            .filter(y ->
                IntStream.rangeClosed(column - 1, column + 1)
                    .anyMatch(c -> image.getRGB(c, y) != Color.WHITE.getRGB()))
            .count();
    return dark > 0.9 * (bottom - top);
  }
}
