package org.rectiflow.datasets.shapes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.rectiflow.evaluation.PixelImage;

class ShapeReaderTest {
  private static final int SIDE = 64;

  @Test
  void anEmptyPictureHasNoShapes() {
    assertThat(ShapeReader.read(new Scene(List.of()).paint(SIDE))).isEmpty();
    assertThat(ShapeReader.read(Damage.noise(new Scene(List.of()).paint(SIDE), 0.06, 1))).isEmpty();
    // Nothing but red: one blob without edges, and no error.
    PixelImage red = filled(0.9f, 0.1f, 0.1f);
    assertThat(ShapeReader.read(red)).hasSize(1);
  }

  @Test
  void placeAndSizeAreMeasured() {
    for (ShapeKind kind : ShapeKind.values()) {
      DrawnShape drawn = new DrawnShape(kind, ShapeColor.BLUE, 0.43, 0.61, 0.17);
      SeenShape seen = only(new Scene(List.of(drawn)).paint(SIDE));
      System.out.printf(
          "%s: middle off by %.4f, %.4f; width by %.4f%n",
          kind, seen.x() - drawn.x(), seen.y() - drawn.y(), seen.width() - 2 * drawn.halfWidth());
      assertThat(seen.kind()).contains(kind);
      assertThat(seen.x()).isCloseTo(0.43, within(0.01));
      assertThat(seen.y()).isCloseTo(0.61, within(0.01));
      assertThat(seen.width()).isCloseTo(2 * drawn.halfWidth(), within(0.02));
      assertThat(seen.height()).isCloseTo(2 * drawn.halfHeight(), within(0.02));
      assertThat(seen.size()).isEqualTo(ShapeSize.MEDIUM);
    }
  }

  @Test
  void shapesThatTouchAreTakenApart() {
    DrawnShape left = new DrawnShape(ShapeKind.SQUARE, ShapeColor.RED, 0.32, 0.5, 0.2);
    DrawnShape right = new DrawnShape(ShapeKind.SQUARE, ShapeColor.BLUE, 0.68, 0.5, 0.2);
    assertThat(describe(new Scene(List.of(left, right)).paint(SIDE)))
        .containsExactlyInAnyOrder("red square", "blue square");
    DrawnShape one = new DrawnShape(ShapeKind.CIRCLE, ShapeColor.GREEN, 0.31, 0.5, 0.18);
    DrawnShape two = new DrawnShape(ShapeKind.CIRCLE, ShapeColor.GREEN, 0.67, 0.5, 0.18);
    assertThat(describe(Damage.blur(new Scene(List.of(one, two)).paint(SIDE), 1)))
        .containsExactly("green circle", "green circle");
  }

  @Test
  void whatIsNoShapeHasNoKind() {
    // A bar, three times as long as wide, and a ring.
    PixelImage bar = painted((x, y) -> Math.abs(x - 32) < 24 && Math.abs(y - 32) < 8);
    assertThat(only(bar).kind()).isEmpty();
    PixelImage ring =
        painted((x, y) -> {
          double r = Math.sqrt((x - 32) * (x - 32) + (y - 32) * (y - 32));
          return r < 20 && r > 13;
        });
    assertThat(only(ring).kind()).isEmpty();
    assertThat(only(ring)).hasToString("big red blob");
  }

  @Test
  void aGreyCircleHasNoColor() {
    PixelImage picture = new Scene(List.of()).paint(SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
      int dx = i % SIDE - 32;
      int dy = i / SIDE - 32;
      if (dx * dx + dy * dy < 200) {
        for (int channel = 0; channel < 3; channel++) {
          picture.data()[channel * SIDE * SIDE + i] = 0.6f;
        }
      }
    }
    assertThat(only(picture).kind()).contains(ShapeKind.CIRCLE);
    assertThat(only(picture).color()).isEmpty();
  }

  /** Colours as a model draws them, off by a tenth of the range in a channel, keep their names. */
  @Test
  void colorsKeepTheirNamesWhenTheyDrift() {
    for (ShapeColor color : ShapeColor.values()) {
      for (int channel = 0; channel < 3; channel++) {
        for (double drift : new double[] {-0.1, 0.1}) {
          double[] rgb = new double[3];
          for (int i = 0; i < 3; i++) {
            rgb[i] = Math.clamp(color.level(i) / 255.0 + (i == channel ? drift : 0), 0, 1);
          }
          assertThat(ColorNames.of(rgb[0], rgb[1], rgb[2]))
              .as("%s, channel %d %+.1f", color, channel, drift)
              .isEqualTo(Optional.of(color));
        }
      }
    }
  }

  @Test
  void onlyRgbIsRead() {
    assertThatThrownBy(() -> ShapeReader.read(new PixelImage(1, 8, 8, new float[64])))
        .hasMessageContaining("found 1 channels");
  }

  /** Not less strict than trying every way to take noise apart, of which these are the numbers. */
  @Test
  void noiseIsReadAsIfEveryWayWereTried() {
    StringBuilder read = new StringBuilder();
    for (float level : new float[] {0.6f, 0.8f, 1}) {
      for (double deviation : new double[] {0.15, 0.3, 0.6}) {
        List<SeenShape> seen =
            ShapeReader.read(Damage.noise(filled(level, level, level), deviation, 3));
        double fit = seen.stream().mapToDouble(SeenShape::fit).sum();
        read.append("%d:%.6f ".formatted(seen.size(), fit));
      }
    }
    assertThat(read.toString().strip())
        .isEqualTo(
            "1:0.823872 1:0.720254 1:0.652605 1:0.640020 1:0.631209 1:0.598237 17:8.223067 4:1.606226 2:0.961936");
  }

  private static SeenShape only(PixelImage picture) {
    List<SeenShape> seen = ShapeReader.read(picture);
    assertThat(seen).hasSize(1);
    return seen.get(0);
  }

  private static List<String> describe(PixelImage picture) {
    return ShapeReader.read(picture).stream().map(SeenShape::toString).toList();
  }

  private interface Inside {
    boolean at(int x, int y);
  }

  private static PixelImage painted(Inside inside) {
    PixelImage picture = new Scene(List.of()).paint(SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
      if (inside.at(i % SIDE, i / SIDE)) {
        for (int channel = 0; channel < 3; channel++) {
          picture.data()[channel * SIDE * SIDE + i] = ShapeColor.RED.level(channel) / 255f;
        }
      }
    }
    return picture;
  }

  private static PixelImage filled(float... rgb) {
    float[] data = new float[3 * SIDE * SIDE];
    for (int channel = 0; channel < 3; channel++) {
      Arrays.fill(data, channel * SIDE * SIDE, (channel + 1) * SIDE * SIDE, rgb[channel]);
    }
    return new PixelImage(3, SIDE, SIDE, data);
  }
}
