package org.rectiflow.datasets.shapes;

/** The colours of the shapes, sRGB. */
public enum ShapeColor {
  RED(220, 36, 40),
  GREEN(40, 160, 72),
  BLUE(38, 86, 226),
  YELLOW(242, 212, 40),
  PURPLE(128, 58, 172),
  ORANGE(245, 140, 24),
  BLACK(20, 20, 20),
  PINK(242, 134, 184);

  /** Level of red, green and blue of the ground the shapes lie on. */
  public static final int GROUND = 248;

  private final int red;
  private final int green;
  private final int blue;

  ShapeColor(int red, int green, int blue) {
    this.red = red;
    this.green = green;
    this.blue = blue;
  }

  /**
   * Level of a channel, 0 to 255.
   *
   * @param channel 0 red, 1 green, 2 blue
   */
  public int level(int channel) {
    return switch (channel) {
      case 0 -> red;
      case 1 -> green;
      case 2 -> blue;
      default -> throw new IndexOutOfBoundsException(channel);
    };
  }

  /** The word in captions. */
  public String word() {
    return ShapeWords.lower(this);
  }
}
