package org.rectiflow.paper.draw;

import java.awt.Color;

/** Colours: those the paper gives its groups of formulations, and a ramp for ordered families. */
public final class Colors {

  /** The paper's colour of edm formulations (Figure 3). */
  public static final Color EDM = new Color(0xd95f02);

  /** The paper's colour of rf formulations (Figure 3). */
  public static final Color RF = new Color(0x1b9e77);

  /** The paper's colour of eps formulations (Figure 3). */
  public static final Color EPS = new Color(0x7570b3);

  /** The paper's colour of v formulations (Figure 3). */
  public static final Color V = new Color(0xe7298a);

  /** For curves that belong to no group. */
  public static final Color NEUTRAL = new Color(0x444444);

  /** Texts and borders. */
  static final Color INK = new Color(0x222222);

  /** Grid lines. */
  static final Color GRID = new Color(0xdddddd);

  private static final Color DARK = new Color(0x08306b);
  private static final Color LIGHT = new Color(0x6baed6);
  private static final Color WARM = new Color(0xe6550d);

  private Colors() {}

  /**
   * A colour of an ordered family of curves, from light blue over dark blue to orange, so that the
   * order can be seen and neighbours told apart.
   *
   * @param index from 0
   * @param count number of curves
   */
  public static Color ramp(int index, int count) {
    double position = count == 1 ? 0 : (double) index / (count - 1);
    return position < 0.5 ? mix(LIGHT, DARK, 2 * position) : mix(DARK, WARM, 2 * position - 1);
  }

  private static Color mix(Color from, Color to, double share) {
    return new Color(
        (int) Math.round(from.getRed() + share * (to.getRed() - from.getRed())),
        (int) Math.round(from.getGreen() + share * (to.getGreen() - from.getGreen())),
        (int) Math.round(from.getBlue() + share * (to.getBlue() - from.getBlue())));
  }
}
