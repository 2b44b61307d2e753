package org.rectiflow.trainer.page;

import java.util.ArrayList;
import java.util.List;

/**
 * A curve.
 *
 * @param name in the legend
 * @param points by growing x
 * @param color as CSS says it
 * @param faint whether it only lies behind another
 */
record Series(String name, List<Point> points, String color, boolean faint) {

  /** A point; both numbers are finite. */
  record Point(double x, double y) {}

  Series {
    points = List.copyOf(points);
  }

  Series(String name, List<Point> points, String color) {
    this(name, points, color, false);
  }

  /** The same curve with at most so many points: means of groups of neighbours. */
  Series thinned(int most) {
    if (points.size() <= most) {
      return this;
    }
    List<Point> means = new ArrayList<>();
    for (int i = 0; i < most; i++) {
      int from = (int) ((long) i * points.size() / most);
      int to = (int) ((long) (i + 1) * points.size() / most);
      double x = 0;
      double y = 0;
      for (Point point : points.subList(from, to)) {
        x += point.x();
        y += point.y();
      }
      means.add(new Point(x / (to - from), y / (to - from)));
    }
    // The last value is what people look for.
    means.set(most - 1, points.getLast());
    return new Series(name, means, color, faint);
  }

  /** The mean of all points so far, old ones counting less and less. */
  Series smoothed(String newName, double keep) {
    List<Point> smooth = new ArrayList<>();
    double sum = 0;
    double weight = 0;
    for (Point point : points) {
      sum = keep * sum + (1 - keep) * point.y();
      weight = keep * weight + (1 - keep);
      smooth.add(new Point(point.x(), sum / weight));
    }
    return new Series(newName, smooth, color, false);
  }
}
