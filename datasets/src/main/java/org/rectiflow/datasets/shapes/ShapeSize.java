package org.rectiflow.datasets.shapes;

/** How large a shape is, as ranges of its radius in parts of the picture's side. */
public enum ShapeSize {
  SMALL(0.095, 0.125),
  MEDIUM(0.15, 0.19),
  BIG(0.26, 0.36);

  private final double least;
  private final double most;

  ShapeSize(double least, double most) {
    this.least = least;
    this.most = most;
  }

  /** Smallest radius drawn. */
  public double least() {
    return least;
  }

  /** Largest radius drawn. */
  public double most() {
    return most;
  }

  /** The size of a shape of this radius, which may lie between the ranges drawn. */
  public static ShapeSize of(double radius) {
    if (radius < (SMALL.most + MEDIUM.least) / 2) {
      return SMALL;
    }
    return radius < (MEDIUM.most + BIG.least) / 2 ? MEDIUM : BIG;
  }

  /** The word in captions; a medium shape has none there. */
  public String word() {
    return ShapeWords.lower(this);
  }
}
