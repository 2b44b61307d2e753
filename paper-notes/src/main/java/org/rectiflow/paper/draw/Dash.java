package org.rectiflow.paper.draw;

import java.awt.BasicStroke;

/** How a line is stroked. */
public enum Dash {
  /** Unbroken. */
  SOLID,
  /** Long dashes. */
  DASHED,
  /** Dots. */
  DOTTED,
  /** Dashes and dots. */
  DASH_DOTTED;

  private static final float WIDTH = 1.8f;

  BasicStroke stroke() {
    return switch (this) {
      case SOLID -> new BasicStroke(WIDTH, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
      case DASHED -> dashed(7, 4);
      case DOTTED -> dashed(2, 3);
      case DASH_DOTTED -> dashed(8, 3, 2, 3);
    };
  }

  private static BasicStroke dashed(float... pattern) {
    return new BasicStroke(WIDTH, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, pattern, 0);
  }
}
