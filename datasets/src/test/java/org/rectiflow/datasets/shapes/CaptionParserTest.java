package org.rectiflow.datasets.shapes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.rectiflow.evaluation.GenEval;

class CaptionParserTest {

  @Test
  void everyPromptIsReadBack() {
    int prompts = 0;
    for (GenEval.Task task : GenEval.Task.values()) {
      int heldOut = 0;
      for (ShapePrompt prompt : HeldOut.all(task)) {
        assertThat(CaptionParser.parse(prompt.text())).isEqualTo(prompt);
        assertThat(prompt.task()).isEqualTo(task);
        heldOut += HeldOut.contains(prompt) ? 1 : 0;
        prompts++;
      }
      System.out.printf(
          "%s: %d of %d prompts held out%n", task.label(), heldOut, HeldOut.all(task).size());
      assertThat(heldOut).isEqualTo(HeldOut.prompts(task).size()).isPositive();
      assertThat(3 * heldOut).isLessThanOrEqualTo(HeldOut.all(task).size());
    }
    assertThat(prompts).isGreaterThan(3000);
  }

  @Test
  void richCaptionsAreReadBack() {
    ShapesWorld world =
        new ShapesWorld(ShapesWorld.Settings.training(1, 500).with(new CaptionMix(1, 0)));
    for (int i = 0; i < world.size(); i++) {
      String caption = world.drawn(i).caption();
      assertThat(CaptionParser.parse(caption).text()).isEqualTo(caption);
    }
  }

  @Test
  void otherWordsForTheSame() {
    assertThat(CaptionParser.parse("The red star is under a blue circle."))
        .isEqualTo(CaptionParser.parse("a red star below a blue circle"));
    assertThat(CaptionParser.parse("a star on top of a circle").relation())
        .isEqualTo(Optional.of(Relation.ABOVE));
    assertThat(CaptionParser.parse("a star at the bottom right").place())
        .isEqualTo(Optional.of(Place.BOTTOM_RIGHT));
    assertThat(CaptionParser.parse("an orange star").text()).isEqualTo("an orange star");
    assertThat(CaptionParser.parse("one orange star").task()).isEqualTo(GenEval.Task.COUNTING);
  }

  @Test
  void whicheverIsNamedFirstIsHeldOutToo() {
    for (GenEval.Task task : GenEval.Task.values()) {
      for (ShapePrompt prompt : HeldOut.all(task)) {
        prompt
            .second()
            .map(second ->
                new ShapePrompt(
                    task,
                    second,
                    Optional.of(prompt.first()),
                    prompt.relation().map(Relation::opposite),
                    Optional.empty()))
            .ifPresent(swapped ->
                assertThat(HeldOut.contains(swapped))
                    .as(swapped.text())
                    .isEqualTo(HeldOut.contains(prompt)));
      }
    }
  }

  @Test
  void otherTextIsRefusedWithTheWord() {
    assertThatThrownBy(() -> CaptionParser.parse("a red cat"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("word 3")
        .hasMessageContaining("found 'cat'");
    assertThatThrownBy(() -> CaptionParser.parse("")).hasMessageContaining("found the end");
    assertThatThrownBy(() -> CaptionParser.parse("three green triangle"))
        .hasMessageContaining("plural");
    assertThatThrownBy(() -> CaptionParser.parse("a star a circle")).hasMessageContaining("word 3");
    assertThatThrownBy(() -> CaptionParser.parse("a star and a circle and a star"))
        .hasMessageContaining("nothing more");
  }
}
