package org.rectiflow.paper.draw;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.font.FontRenderContext;
import java.awt.geom.AffineTransform;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.paper.output.Picture;

/** Charts side by side, with a remark of any length below them, as one picture. */
public final class Panels implements Picture {

  private static final Font REMARK = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
  private static final int LINE_HEIGHT = 16;
  private static final int MARGIN = 14;
  private static final int PANEL_WIDTH = 560;
  private static final int PANEL_HEIGHT = 400;

  private final List<LineChart> charts;
  private final int columns;
  private final List<String> remark;

  /**
   * Charts of 560 x 400 pixels in rows.
   *
   * @param columns charts in a row
   * @param remark text below them; "" for none
   * @param charts in reading order, at least one
   */
  public Panels(int columns, String remark, LineChart... charts) {
    if (columns < 1 || charts.length == 0) {
      throw new IllegalArgumentException(
          "panels need charts and columns, found %d and %d".formatted(charts.length, columns));
    }
    this.charts = List.of(charts);
    this.columns = columns;
    this.remark = wrap(remark, width() - 2 * MARGIN);
  }

  @Override
  public int width() {
    return columns * PANEL_WIDTH;
  }

  @Override
  public int height() {
    return rows() * PANEL_HEIGHT + (remark.isEmpty() ? 0 : remark.size() * LINE_HEIGHT + MARGIN);
  }

  private int rows() {
    return (charts.size() + columns - 1) / columns;
  }

  @Override
  public void paint(Graphics2D g) {
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width(), height());
    AffineTransform origin = g.getTransform();
    for (int i = 0; i < charts.size(); i++) {
      g.translate((i % columns) * PANEL_WIDTH, (i / columns) * PANEL_HEIGHT);
      charts.get(i).chart().paint(g, PANEL_WIDTH, PANEL_HEIGHT);
      g.setTransform(origin);
    }
    g.setColor(Colors.INK);
    int y = rows() * PANEL_HEIGHT + LINE_HEIGHT - 2;
    for (String line : remark) {
      // Outlines, as the charts draw their texts, so that the SVG needs no font.
      g.fill(REMARK.createGlyphVector(g.getFontRenderContext(), line).getOutline(MARGIN, y));
      y += LINE_HEIGHT;
    }
  }

  private static List<String> wrap(String text, int width) {
    FontRenderContext context = new FontRenderContext(null, true, true);
    List<String> lines = new ArrayList<>();
    String line = "";
    for (String word : text.strip().split("\\s+", -1)) {
      String longer = line.isEmpty() ? word : line + " " + word;
      if (!line.isEmpty() && REMARK.getStringBounds(longer, context).getWidth() > width) {
        lines.add(line);
        line = word;
      } else {
        line = longer;
      }
    }
    if (!line.isEmpty()) {
      lines.add(line);
    }
    return lines;
  }
}
