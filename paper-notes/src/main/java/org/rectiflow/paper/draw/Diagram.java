package org.rectiflow.paper.draw;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.geom.RoundRectangle2D;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.paper.output.Picture;

/**
 * A diagram of boxes, circles, arrows and texts. Arrows are painted first, then the shapes over
 * them, so an arrow may run behind a column of boxes. All coordinates are CSS pixels.
 */
public final class Diagram implements Picture {

  private static final BasicStroke THIN = new BasicStroke(1.1f);
  private static final BasicStroke THICK = new BasicStroke(2.2f);
  private static final BasicStroke RIM =
      new BasicStroke(7, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER);
  private static final BasicStroke DASHED =
      new BasicStroke(
          1.1f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {4, 3}, 0);
  private static final double ARROW = 8;

  private final int width;
  private final int height;
  private final List<Painter> background = new ArrayList<>();
  private final List<Painter> lines = new ArrayList<>();
  private final List<Painter> rims = new ArrayList<>();
  private final List<Painter> streams = new ArrayList<>();
  private final List<Painter> shapes = new ArrayList<>();

  private interface Painter {
    void paint(Graphics2D g);
  }

  /** An empty diagram. */
  public Diagram(int width, int height) {
    this.width = width;
    this.height = height;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public int height() {
    return height;
  }

  @Override
  public void paint(Graphics2D g) {
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    background.forEach(painter -> painter.paint(g));
    lines.forEach(painter -> painter.paint(g));
    rims.forEach(painter -> painter.paint(g));
    streams.forEach(painter -> painter.paint(g));
    shapes.forEach(painter -> painter.paint(g));
  }

  /** A rounded box around a centre; newlines separate the lines of the text. */
  public Diagram box(double x, double y, double w, double h, Color fill, String text) {
    return shape(rounded(x, y, w, h), fill, THIN, x, y, text, 13);
  }

  /** A box with a dashed border, for what is optional, with smaller text. */
  public Diagram dashedBox(double x, double y, double w, double h, Color fill, String text) {
    return shape(rounded(x, y, w, h), fill, DASHED, x, y, text, 10);
  }

  /** A circle around a centre. */
  public Diagram circle(double x, double y, double radius, Color fill, String text) {
    Shape circle = new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius);
    return shape(circle, fill, THIN, x, y, text, 13);
  }

  /** A rectangle behind everything, given by its corners. */
  public Diagram frame(double left, double top, double right, double bottom, Color fill) {
    Shape frame = new Rectangle2D.Double(left, top, right - left, bottom - top);
    background.add(g -> fill(g, frame, fill, THIN));
    return this;
  }

  /** A sharp-cornered box, for a piece of a tensor, given by its corners. */
  public Diagram block(
      double left, double top, double right, double bottom, Color fill, String text) {
    Shape block = new Rectangle2D.Double(left, top, right - left, bottom - top);
    return shape(block, fill, THIN, (left + right) / 2, (top + bottom) / 2, text, 11);
  }

  /** Text around a centre. */
  public Diagram text(double x, double y, int size, String text) {
    shapes.add(g -> centred(g, x, y, text, size, Font.PLAIN));
    return this;
  }

  /** Bold text around a centre. */
  public Diagram heading(double x, double y, String text) {
    shapes.add(g -> centred(g, x, y, text, 15, Font.BOLD));
    return this;
  }

  /** Text turned by a quarter to the left, around a centre. */
  public Diagram turnedText(double x, double y, int size, String text) {
    shapes.add(g -> {
      AffineTransform origin = g.getTransform();
      g.rotate(-Math.PI / 2, x, y);
      centred(g, x, y, text, size, Font.PLAIN);
      g.setTransform(origin);
    });
    return this;
  }

  /** An arrow along points x, y, x, y, ... */
  public Diagram arrow(double... points) {
    lines.add(g -> polyline(g, points, THIN, true));
    return this;
  }

  /** A line along points. */
  public Diagram line(double... points) {
    lines.add(g -> polyline(g, points, THIN, false));
    return this;
  }

  /** A thick arrow, for a residual stream, with a white rim that sets it apart at crossings. */
  public Diagram stream(double... points) {
    rims.add(g -> rim(g, points));
    streams.add(g -> polyline(g, points, THICK, true));
    return this;
  }

  /** A thin line with a white rim. */
  public Diagram crossing(double... points) {
    lines.add(g -> rim(g, points));
    lines.add(g -> polyline(g, points, THIN, false));
    return this;
  }

  private Diagram shape(
      Shape shape, Color fill, BasicStroke stroke, double x, double y, String text, int size) {
    shapes.add(g -> {
      fill(g, shape, fill, stroke);
      centred(g, x, y, text, size, Font.PLAIN);
    });
    return this;
  }

  private static Shape rounded(double x, double y, double w, double h) {
    return new RoundRectangle2D.Double(x - w / 2, y - h / 2, w, h, 10, 10);
  }

  private static void fill(Graphics2D g, Shape shape, Color fill, BasicStroke stroke) {
    g.setColor(fill);
    g.fill(shape);
    g.setColor(Colors.INK);
    g.setStroke(stroke);
    g.draw(shape);
  }

  private static void centred(Graphics2D g, double x, double y, String text, int size, int style) {
    Font font = new Font(Font.SANS_SERIF, style, size);
    g.setColor(Colors.INK);
    String[] rows = text.split("\n", -1);
    double lineHeight = size * 1.2;
    double baseline = y - (rows.length - 1) * lineHeight / 2 + 0.36 * size;
    for (String row : rows) {
      var glyphs = font.createGlyphVector(g.getFontRenderContext(), row);
      double advance = glyphs.getLogicalBounds().getWidth();
      g.fill(glyphs.getOutline((float) (x - advance / 2), (float) baseline));
      baseline += lineHeight;
    }
  }

  private static void rim(Graphics2D g, double[] points) {
    g.setColor(Color.WHITE);
    g.setStroke(RIM);
    g.draw(path(points));
  }

  private static void polyline(Graphics2D g, double[] points, BasicStroke stroke, boolean head) {
    g.setColor(Colors.INK);
    g.setStroke(stroke);
    g.draw(path(points));
    if (head) {
      int n = points.length;
      double toX = points[n - 2];
      double toY = points[n - 1];
      double angle = Math.atan2(toY - points[n - 3], toX - points[n - 4]);
      Path2D tip = new Path2D.Double();
      tip.moveTo(toX, toY);
      for (double side : new double[] {-0.4, 0.4}) {
        tip.lineTo(toX - ARROW * Math.cos(angle + side), toY - ARROW * Math.sin(angle + side));
      }
      tip.closePath();
      g.fill(tip);
    }
  }

  private static Path2D path(double[] points) {
    Path2D path = new Path2D.Double();
    path.moveTo(points[0], points[1]);
    for (int i = 2; i < points.length; i += 2) {
      path.lineTo(points[i], points[i + 1]);
    }
    return path;
  }
}
