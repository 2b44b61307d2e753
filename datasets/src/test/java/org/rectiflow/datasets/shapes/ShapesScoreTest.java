package org.rectiflow.datasets.shapes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.rectiflow.datasets.shapes.ShapesWorld.Settings;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.evaluation.PixelImage;

@SuppressWarnings("EnumOrdinal") // numbers to count with
class ShapesScoreTest {
  private static final int PICTURES = 120;

  /** How pictures are damaged before they are read. */
  @SuppressWarnings("ImmutableEnumChecker") // the lambdas have no state
  enum Harm {
    NONE(p -> p),
    NOISE(p -> Damage.noise(p, 0.06, 5)),
    BLUR(p -> Damage.blur(p, 1)),
    BLUR_AND_NOISE(p -> Damage.noise(Damage.blur(p, 0.7), 0.04, 6)),
    JPEG(p -> Damage.jpeg(p, 0.8f));

    private final UnaryOperator<PixelImage> way;

    Harm(UnaryOperator<PixelImage> way) {
      this.way = way;
    }
  }

  /** The score of right pictures is at least 0.99 in every category, damaged or not. */
  @ParameterizedTest
  @EnumSource(Harm.class)
  void rightPicturesAreCorrect(Harm harm) {
    for (Settings settings :
        List.of(Settings.training(21, PICTURES), Settings.heldOut(22, PICTURES))) {
      ShapesScore score = score(new ShapesWorld(settings), harm.way);
      System.out.printf(
          "%s, %s captions: overall %.4f, exact %.4f%n",
          harm, settings.split(), score.overall(), score.overallExact());
      assertThat(score.exact().values())
          .allSatisfy(count -> assertThat(count.rate()).isGreaterThanOrEqualTo(0.99));
    }
  }

  @Test
  void otherSizesAreReadToo() {
    for (int resolution : new int[] {32, 128}) {
      ShapesScore score =
          score(
              new ShapesWorld(Settings.training(23, PICTURES / 2).withResolution(resolution)),
              p -> p);
      System.out.printf("%d pixels: exact %.4f%n", resolution, score.overallExact());
      assertThat(score.overallExact()).isGreaterThanOrEqualTo(0.99);
    }
  }

  private static ShapesScore score(ShapesWorld world, UnaryOperator<PixelImage> way) {
    List<Verdict> verdicts =
        IntStream.range(0, world.size())
            .parallel()
            .mapToObj(
                i -> ShapesScore.judge(world.drawn(i).prompt(), way.apply(world.get(i).picture())))
            .toList();
    verdicts.stream()
        .filter(verdict -> !verdict.exact())
        .forEach(verdict -> System.out.println(verdict.prompt().text() + ": " + verdict.found()));
    return ShapesScore.of(verdicts);
  }

  /** A prompt with one fact changed is refused, whatever fact and category. */
  @Test
  void wrongPicturesAreRefused() {
    ShapesWorld world = new ShapesWorld(Settings.training(24, PICTURES));
    Map<GenEval.Task, Integer> tried = new EnumMap<>(GenEval.Task.class);
    for (int i = 0; i < PICTURES; i++) {
      ShapePrompt right = world.drawn(i).prompt();
      PixelImage blurred = Damage.blur(world.get(i).picture(), 0.7);
      List<SeenShape> seen = ShapeReader.read(blurred);
      for (ShapePrompt wrong : wrong(right, world.drawn(i).scene())) {
        tried.merge(right.task(), 1, Integer::sum);
        Verdict verdict = Verdict.of(wrong, seen);
        assertThat(verdict.correct())
            .as("%s drawn, '%s' asked, found %s", right.text(), wrong.text(), verdict.found())
            .isFalse();
      }
    }
    System.out.println("wrong prompts refused: " + tried);
    assertThat(tried).hasSize(6).allSatisfy((_, n) -> assertThat(n).isGreaterThan(20));
  }

  /** The prompt with another shape, colour, size, count or relation. */
  private static List<ShapePrompt> wrong(ShapePrompt right, Scene scene) {
    List<ShapePrompt> wrong = new ArrayList<>();
    ShapePhrase first = right.first();
    for (ShapeKind kind : ShapeKind.values()) {
      if (scene.shapes().stream().noneMatch(shape -> shape.kind() == kind)) {
        wrong.add(with(right, new ShapePhrase(first.count(), first.size(), first.color(), kind)));
      }
    }
    first
        .color()
        .ifPresent(color ->
            Arrays.stream(ShapeColor.values())
                .filter(other -> other != color)
                .map(Optional::of)
                .map(o -> new ShapePhrase(first.count(), first.size(), o, first.kind()))
                .forEach(phrase -> wrong.add(with(right, phrase))));
    first
        .size()
        .ifPresent(size ->
            Arrays.stream(ShapeSize.values())
                .filter(other -> other != size)
                .map(Optional::of)
                .map(o -> new ShapePhrase(first.count(), o, first.color(), first.kind()))
                .forEach(phrase -> wrong.add(with(right, phrase))));
    if (right.task() == GenEval.Task.COUNTING) {
      IntStream.rangeClosed(1, ShapePhrase.MAX_COUNT)
          .filter(count -> count != first.count())
          .mapToObj(count -> new ShapePhrase(count, first.size(), first.color(), first.kind()))
          .forEach(phrase -> wrong.add(with(right, phrase)));
    }
    right.relation().ifPresent(relation -> wrong.add(opposite(right, relation)));
    if (right.task() == GenEval.Task.COLOR_ATTRIBUTION) {
      ShapePhrase second = right.second().orElseThrow();
      wrong.add(
          ShapePrompt.two(
              ShapePhrase.of(second.color().orElseThrow(), first.kind()),
              ShapePhrase.of(first.color().orElseThrow(), second.kind())));
    }
    return wrong;
  }

  private static ShapePrompt with(ShapePrompt prompt, ShapePhrase first) {
    return new ShapePrompt(
        prompt.task(), first, prompt.second(), prompt.relation(), prompt.place());
  }

  private static ShapePrompt opposite(ShapePrompt prompt, Relation relation) {
    return ShapePrompt.placed(prompt.first(), relation.opposite(), prompt.second().orElseThrow());
  }

  @Test
  void genEvalAllowsWhatItDoesNotCount() {
    DrawnShape star = new DrawnShape(ShapeKind.STAR, ShapeColor.PINK, 0.2, 0.3, 0.12);
    DrawnShape other = new DrawnShape(ShapeKind.STAR, ShapeColor.PINK, 0.7, 0.35, 0.12);
    PixelImage two = new Scene(List.of(star, other)).paint(64);
    Verdict single = ShapesScore.judge(CaptionParser.parse("a pink star"), two);
    assertThat(single.correct()).isTrue();
    assertThat(single.exact()).isFalse();
    assertThat(single.found()).isEqualTo("small pink star, small pink star");
    assertThat(ShapesScore.judge(CaptionParser.parse("one pink star"), two).correct()).isFalse();
    assertThat(ShapesScore.judge(CaptionParser.parse("two pink stars"), two).exact()).isTrue();
    assertThat(ShapesScore.judge(CaptionParser.parse("a star at the left"), two).correct())
        .isFalse();
    assertThat(ShapesScore.judge(CaptionParser.parse("a star at the top left"), two).correct())
        .isTrue();
  }

  @Test
  void theOverallScoreIsTheMeanOfTheSixRates() {
    List<Verdict> verdicts = new ArrayList<>();
    for (GenEval.Task task : GenEval.Task.values()) {
      ShapePrompt prompt = HeldOut.prompts(task).get(0);
      for (int i = 0; i < 2 + task.ordinal(); i++) {
        verdicts.add(new Verdict(prompt, List.of(), i == 0, false));
      }
    }
    ShapesScore score = ShapesScore.of(verdicts);
    assertThat(score.overall())
        .isEqualTo((1 / 2. + 1 / 3. + 1 / 4. + 1 / 5. + 1 / 6. + 1 / 7.) / 6);
    assertThat(score.overallExact()).isZero();
    assertThat(score.csv()).contains("Counting,1,0,4,0.25,0.0\n").contains("Overall,,,,0.26");
    assertThatThrownBy(() -> ShapesScore.of(verdicts.subList(0, 3)).overall())
        .hasMessageContaining("all six tasks are needed");
  }

  @Test
  void evaluationPromptsAreHeldOutAndBalanced() {
    List<ShapePrompt> prompts = ShapesScore.prompts(10, 3);
    assertThat(prompts).hasSize(60).allMatch(HeldOut::contains);
    assertThat(ShapesScore.prompts(10, 3)).isEqualTo(prompts);
    assertThat(ShapesScore.prompts(10, 4)).isNotEqualTo(prompts);
    assertThat(prompts.stream().filter(p -> p.task() == GenEval.Task.POSITION))
        .hasSize(10)
        .doesNotHaveDuplicates();
  }
}
