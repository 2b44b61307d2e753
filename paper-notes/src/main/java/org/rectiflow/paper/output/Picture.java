package org.rectiflow.paper.output;

import java.awt.Graphics2D;

/** Something that can be painted; one painting serves PNG and SVG. */
public interface Picture {

  /** Width in CSS pixels (1/96 inch). */
  int width();

  /** Height in CSS pixels. */
  int height();

  /** Paints the whole picture, background included, from the origin of {@code g}. */
  void paint(Graphics2D g);
}
