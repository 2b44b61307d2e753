package org.rectiflow.datasets.shapes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.datasets.shapes.ShapesWorld.Settings;
import org.rectiflow.datasets.shapes.ShapesWorld.Split;
import org.rectiflow.evaluation.GenEval;

class ShapesWorldTest {
  private static final int MANY = 3000;

  @Test
  void anExampleFollowsFromSeedAndIndexAlone() {
    ShapesWorld small = new ShapesWorld(Settings.training(7, 10));
    ShapesWorld large = new ShapesWorld(Settings.training(7, 1_000_000_000));
    List<float[]> parallel =
        IntStream.range(0, 10).parallel().mapToObj(i -> large.get(i).picture().data()).toList();
    for (int i = 9; i >= 0; i--) {
      Example example = small.get(i);
      assertThat(example.picture().data()).isEqualTo(parallel.get(i));
      assertThat(example.caption()).isEqualTo(large.get(i).caption());
    }
    assertThat(new ShapesWorld(Settings.training(8, 10)).get(0).picture().data())
        .isNotEqualTo(parallel.get(0));
  }

  /** The pictures are data: another build or machine must draw the same ones. */
  @Test
  void theFirstPicturesAreTheseToTheBit() {
    ShapesWorld world = new ShapesWorld(Settings.training(0, 64).with(new CaptionMix(0.4, 0.3)));
    Fingerprint print = new Fingerprint();
    for (int i = 0; i < world.size(); i++) {
      Example example = world.get(i);
      print.add(example.caption()).add(example.picture().data());
    }
    assertThat(print.hex())
        .isEqualTo("bd7d74258cb601647ad7bd5377ceed451e8cc1d9f837be9d73df6e2893b769bb");
  }

  @Test
  void categoriesAreEquallyFrequent() {
    ShapesWorld world = new ShapesWorld(Settings.training(1, MANY));
    Map<GenEval.Task, Integer> counts = new EnumMap<>(GenEval.Task.class);
    for (int i = 0; i < MANY; i++) {
      counts.merge(world.drawn(i).prompt().task(), 1, Integer::sum);
    }
    System.out.println("examples of each category: " + counts);
    // Five standard deviations of a binomial of 3000 and a sixth.
    assertThat(counts.values()).hasSize(6).allSatisfy(n -> assertThat(n).isBetween(398, 602));
  }

  @Test
  void heldOutCaptionsNeverOccurInTraining() {
    Set<String> heldOut =
        Arrays.stream(GenEval.Task.values())
            .flatMap(task -> HeldOut.prompts(task).stream())
            .map(ShapePrompt::text)
            .collect(Collectors.toSet());
    for (CaptionMix mix :
        List.of(
            CaptionMix.PLAIN,
            CaptionMix.POOR,
            CaptionMix.HALF,
            new CaptionMix(1, 0),
            new CaptionMix(0, 0, 1))) {
      ShapesWorld world = new ShapesWorld(Settings.training(2, MANY).with(mix));
      for (int i = 0; i < MANY; i++) {
        assertThat(heldOut).doesNotContain(world.drawn(i).caption());
      }
    }
    ShapesWorld evaluation = new ShapesWorld(Settings.heldOut(2, 300));
    for (int i = 0; i < evaluation.size(); i++) {
      assertThat(heldOut).contains(evaluation.drawn(i).caption());
    }
  }

  @Test
  void aSceneShowsWhatItsPromptSays() {
    ShapesWorld world = new ShapesWorld(Settings.training(3, MANY).with(CaptionMix.HALF));
    for (int i = 0; i < MANY; i++) {
      ShapesWorld.Drawn drawn = world.drawn(i);
      ShapePrompt prompt = drawn.prompt();
      List<DrawnShape> shapes = drawn.scene().shapes();
      assertThat(shapes).hasSize(prompt.second().isPresent() ? 2 : prompt.first().count());
      agrees(prompt.first(), shapes.get(0));
      prompt.second().ifPresent(second -> agrees(second, shapes.get(1)));
      prompt
          .relation()
          .ifPresent(r -> assertThat(shapes.get(0).isThere(r, shapes.get(1))).isTrue());
      for (DrawnShape a : shapes) {
        assertThat(a.x() - a.halfWidth()).isPositive();
        assertThat(a.y() + a.halfHeight()).isLessThan(1);
        for (DrawnShape b : shapes) {
          assertThat(a.equals(b) || !a.touches(b, 0)).isTrue();
        }
      }
    }
  }

  private static void agrees(ShapePhrase phrase, DrawnShape shape) {
    assertThat(shape.kind()).isEqualTo(phrase.kind());
    phrase.color().ifPresent(color -> assertThat(shape.color()).isEqualTo(color));
    phrase.size().ifPresent(size -> assertThat(shape.size()).isEqualTo(size));
  }

  @Test
  void captionsAreMixedAsAsked() {
    Settings settings = Settings.training(4, MANY).with(new CaptionMix(0.5, 0.3));
    ShapesWorld mixed = new ShapesWorld(settings);
    int plain = 0;
    int poor = 0;
    for (int i = 0; i < MANY; i++) {
      ShapesWorld.Drawn drawn = mixed.drawn(i);
      if (drawn.caption().equals(drawn.prompt().text())) {
        plain++;
      } else if (drawn.caption().equals(CaptionMix.poor(drawn.prompt()))) {
        poor++;
      }
    }
    System.out.printf("of %d captions %d plain and %d poor%n", MANY, plain, poor);
    // Some poor and rich captions are the plain one too.
    assertThat(plain + poor).isBetween(1450, 1900);
    assertThat(poor).isBetween(700, 1000);
  }

  @Test
  void partialCaptionsSayNothingThatIsNotThereAndLeaveOutAnything() {
    ShapesWorld world = new ShapesWorld(Settings.training(6, MANY).with(new CaptionMix(0, 0, 1)));
    Set<String> said = new TreeSet<>();
    for (int i = 0; i < MANY; i++) {
      ShapesWorld.Drawn drawn = world.drawn(i);
      ShapePrompt caption = CaptionParser.parse(drawn.caption());
      List<DrawnShape> shapes = drawn.scene().shapes();
      assertThat(shapes).hasSize(caption.second().isPresent() ? 2 : caption.first().count());
      agrees(caption.first(), shapes.get(0));
      caption.second().ifPresent(second -> agrees(second, shapes.get(1)));
      caption
          .relation()
          .ifPresent(r -> assertThat(shapes.get(0).isThere(r, shapes.get(1))).isTrue());
      caption
          .place()
          .ifPresent(p -> assertThat(p.holds(shapes.get(0).x(), shapes.get(0).y(), 0)).isTrue());
      if (caption.second().isPresent()) {
        said.add(
            "%s %s %s"
                .formatted(
                    caption.first().color().isPresent(),
                    caption.second().get().color().isPresent(),
                    caption.relation().isPresent()));
      }
    }
    assertThat(said).as("colour of the first, of the second, relation").hasSize(8);
  }

  @Test
  void richCaptionsSayMoreThanPlainOnes() {
    DrawnShape star = new DrawnShape(ShapeKind.STAR, ShapeColor.PINK, 0.3, 0.3, 0.1);
    DrawnShape square = new DrawnShape(ShapeKind.SQUARE, ShapeColor.BLACK, 0.7, 0.35, 0.17);
    ShapePrompt two = CaptionParser.parse("a star and a square");
    assertThat(CaptionMix.rich(two, new Scene(List.of(star, square))).text())
        .isEqualTo("a small pink star to the left of a black square");
    assertThat(CaptionMix.poor(two)).isEqualTo("a star");
    ShapePrompt one = CaptionParser.parse("a star");
    assertThat(CaptionMix.rich(one, new Scene(List.of(star))).text())
        .isEqualTo("a small pink star at the top left");
    ShapePrompt three = CaptionParser.parse("two pink stars");
    assertThat(CaptionMix.rich(three, new Scene(List.of(star, star))).text())
        .isEqualTo("two small pink stars");
    assertThat(CaptionMix.poor(three)).isEqualTo("stars");
  }

  @Test
  void paintingMixesGroundAndShape() {
    Scene scene =
        new Scene(List.of(new DrawnShape(ShapeKind.SQUARE, ShapeColor.RED, 0.5, 0.5, 0.25)));
    // Half the side is 0.225 x 64 = 14.4 pixels: from 17.6 to 46.4.
    float[] red = scene.paint(64).data();
    assertThat(red[32 * 64 + 32]).isEqualTo(220 / 255f);
    assertThat(red[64 * 64 + 32 * 64 + 32]).isEqualTo(36 / 255f);
    assertThat(red[32 * 64 + 16]).isEqualTo(248 / 255f);
    // Three of eight sample columns are inside pixel 17: 248 + (220 - 248) * 3 / 8 = 237.5.
    assertThat(red[32 * 64 + 17]).isEqualTo(238 / 255f);
  }

  @Test
  void fingerprintsTellWorldsApart() {
    Settings settings = Settings.training(5, 100);
    String print = new ShapesWorld(settings).fingerprint();
    assertThat(new ShapesWorld(Settings.training(5, 100)).fingerprint()).isEqualTo(print);
    assertThat(
            List.of(
                new ShapesWorld(Settings.training(6, 100)).fingerprint(),
                new ShapesWorld(settings.with(CaptionMix.HALF)).fingerprint(),
                new ShapesWorld(settings.with(new CaptionMix(0, 0, 0.5))).fingerprint(),
                new ShapesWorld(settings.with(Split.HELD_OUT)).fingerprint(),
                new ShapesWorld(settings.with(Set.of(GenEval.Task.COLORS))).fingerprint(),
                new ShapesWorld(settings.withResolution(32)).fingerprint()))
        .doesNotContain(print)
        .doesNotHaveDuplicates();
  }

  @Test
  void badSettingsAreRefused() {
    assertThatThrownBy(() -> Settings.training(0, 0)).hasMessageContaining("found 0");
    assertThatThrownBy(() -> Settings.training(0, 1).withResolution(16))
        .hasMessageContaining("at least 32");
    assertThatThrownBy(() -> new CaptionMix(0.7, 0.4)).hasMessageContaining("rich 0.7, poor 0.4");
    assertThatThrownBy(() -> Settings.heldOut(0, 1).with(CaptionMix.HALF))
        .hasMessageContaining("plain");
    assertThatThrownBy(() -> new ShapesWorld(Settings.training(0, 5)).get(5))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
