package org.rectiflow.datasets.shapes;

/**
 * The ideal shape that overlaps a soft mask best.
 *
 * @param kind which
 * @param overlap sum of the smaller over sum of the larger of the two coverages
 * @param x middle of the bounding box in pixels of the mask
 * @param y the same, down
 * @param halfWidth of the bounding box in pixels
 * @param halfHeight of the bounding box in pixels
 */
@SuppressWarnings("EnumOrdinal") // the tables have the order of the kinds
record ShapeFit(
    ShapeKind kind, double overlap, double x, double y, double halfWidth, double halfHeight) {
  private static final double[] STEPS = {0.5, 0.25};
  private static final int MOVES = 24;

  /** Cells across the grid on which the ideal shapes are counted out. */
  private static final int CELLS = 256;

  private static final int[][] TABLES = tables();

  /** Ratio of width to height, over the ideal one, beyond which a shape is not that shape. */
  private static final double STRETCH = 1.5;

  /**
   * The best of the four kinds.
   *
   * @param alpha coverage in [0, 1], row by row
   * @param box left, top, right and bottom edge of the mask, in pixels and parts of them
   */
  static ShapeFit best(float[] alpha, int width, double[] box) {
    ShapeFit best = null;
    for (ShapeKind kind : ShapeKind.values()) {
      ShapeFit fit = climb(kind, alpha, width, box);
      if (best == null || fit.overlap > best.overlap) {
        best = fit;
      }
    }
    return best;
  }

  /** Improves middle and size in small steps while the overlap grows. */
  private static ShapeFit climb(ShapeKind kind, float[] alpha, int width, double[] box) {
    ShapeFit fit =
        new ShapeFit(
                kind,
                0,
                (box[0] + box[2]) / 2,
                (box[1] + box[3]) / 2,
                Math.max(0.5, (box[2] - box[0]) / 2),
                Math.max(0.5, (box[3] - box[1]) / 2))
            .measured(alpha, width);
    for (double step : STEPS) {
      boolean better = true;
      for (int i = 0; better && i < MOVES; i++) {
        better = false;
        for (int move = 0; move < 8; move++) {
          ShapeFit other = fit.moved(move, step).measured(alpha, width);
          if (other.overlap > fit.overlap) {
            fit = other;
            better = true;
          }
        }
      }
    }
    return fit;
  }

  private ShapeFit moved(int move, double step) {
    double by = move % 2 == 0 ? step : -step;
    return switch (move / 2) {
      case 0 -> new ShapeFit(kind, 0, x + by, y, halfWidth, halfHeight);
      case 1 -> new ShapeFit(kind, 0, x, y + by, halfWidth, halfHeight);
      case 2 -> new ShapeFit(kind, 0, x, y, Math.max(0.5, halfWidth + by), halfHeight);
      default -> new ShapeFit(kind, 0, x, y, halfWidth, Math.max(0.5, halfHeight + by));
    };
  }

  private ShapeFit measured(float[] alpha, int width) {
    double scaleX = halfWidth / kind.halfWidth();
    double scaleY = halfHeight / kind.halfHeight();
    if (scaleX > STRETCH * scaleY || scaleY > STRETCH * scaleX) {
      return new ShapeFit(kind, 0, x, y, halfWidth, halfHeight);
    }
    int[] table = TABLES[kind.ordinal()];
    Cells columns = Cells.of(width, x, scaleX);
    Cells rows = Cells.of(alpha.length / width, y, scaleY);
    double smaller = 0;
    double larger = 0;
    int i = 0;
    for (int row = 0; row < rows.from.length; row++) {
      for (int column = 0; column < width; column++, i++) {
        double ideal = mean(table, columns, column, rows, row);
        smaller += Math.min(alpha[i], ideal);
        larger += Math.max(alpha[i], ideal);
      }
    }
    return new ShapeFit(kind, smaller / larger, x, y, halfWidth, halfHeight);
  }

  /**
   * Where the pixels of one direction lie on the grid, which goes from -1 to 1.
   *
   * @param from first cell of each
   * @param to the cell after the last of each
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Cells(int[] from, int[] to) {
    static Cells of(int pixels, double middle, double scale) {
      int[] from = new int[pixels];
      int[] to = new int[pixels];
      for (int i = 0; i < pixels; i++) {
        double begin = i - middle;
        from[i] = cell(begin / scale);
        to[i] = Math.max(from[i] + 1, cell((begin + 1) / scale));
      }
      return new Cells(from, to);
    }
  }

  /** Share of a pixel that the shape covers. */
  private static double mean(int[] table, Cells columns, int column, Cells rows, int row) {
    int l = columns.from[column];
    int t = rows.from[row];
    int r = columns.to[column];
    int b = rows.to[row];
    if (l >= CELLS || t >= CELLS || r <= 0 || b <= 0) {
      return 0;
    }
    int inside = at(table, r, b) - at(table, l, b) - at(table, r, t) + at(table, l, t);
    return inside == 0 ? 0 : (double) inside / ((long) (r - l) * (b - t));
  }

  /** The line of the grid nearest to a length in units of the radius. */
  private static int cell(double length) {
    return (int) Math.rint((length + 1) * (CELLS / 2));
  }

  private static int at(int[] table, int column, int row) {
    return table[Math.clamp(row, 0, CELLS) * (CELLS + 1) + Math.clamp(column, 0, CELLS)];
  }

  /** For each kind the number of cells inside the shape above and to the left of a grid point. */
  private static int[][] tables() {
    int[][] tables = new int[ShapeKind.values().length][];
    for (ShapeKind kind : ShapeKind.values()) {
      int[] table = new int[(CELLS + 1) * (CELLS + 1)];
      for (int row = 0; row < CELLS; row++) {
        int line = 0;
        for (int column = 0; column < CELLS; column++) {
          double x = (column + 0.5) / (CELLS / 2) - 1;
          double y = (row + 0.5) / (CELLS / 2) - 1;
          line += kind.contains(x, y) ? 1 : 0;
          int above = row * (CELLS + 1) + column + 1;
          table[above + CELLS + 1] = table[above] + line;
        }
      }
      tables[kind.ordinal()] = table;
    }
    return tables;
  }
}
