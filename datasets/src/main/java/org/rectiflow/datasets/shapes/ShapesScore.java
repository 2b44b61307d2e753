package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.rectiflow.datasets.SeededRandom;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.evaluation.PixelImage;

/**
 * GenEval's score of pictures of the shapes world, with rules in the place of a detector.
 *
 * @param correct correct pictures of each category that has any
 * @param exact pictures of each category that show what was asked for and nothing else
 */
@SuppressWarnings("EnumOrdinal") // one generator for each category
public record ShapesScore(
    Map<GenEval.Task, GenEval.Count> correct, Map<GenEval.Task, GenEval.Count> exact) {

  public ShapesScore {
    correct = Map.copyOf(correct);
    exact = Map.copyOf(exact);
  }

  /** Reads a picture and judges it. */
  public static Verdict judge(ShapePrompt prompt, PixelImage picture) {
    return Verdict.of(prompt, ShapeReader.read(picture));
  }

  /** Counts verdicts. */
  public static ShapesScore of(Collection<Verdict> verdicts) {
    return new ShapesScore(count(verdicts, Verdict::correct), count(verdicts, Verdict::exact));
  }

  private static Map<GenEval.Task, GenEval.Count> count(
      Collection<Verdict> verdicts, Predicate<Verdict> good) {
    Map<GenEval.Task, GenEval.Count> counts = new EnumMap<>(GenEval.Task.class);
    for (Verdict verdict : verdicts) {
      counts.merge(
          verdict.prompt().task(),
          new GenEval.Count(good.test(verdict) ? 1 : 0, 1),
          (a, b) -> new GenEval.Count(a.correct() + b.correct(), a.total() + b.total()));
    }
    return counts;
  }

  /**
   * The mean of the six categories' rates.
   *
   * @throws IllegalArgumentException if a category has no pictures
   */
  public double overall() {
    return GenEval.overallOfCounts(correct);
  }

  /** The same where nothing else may be in the picture. */
  public double overallExact() {
    return GenEval.overallOfCounts(exact);
  }

  /**
   * Held-out prompts to evaluate with, the same number in each category, in GenEval's order. A
   * category with fewer prompts repeats them.
   *
   * @param perTask prompts in each category
   * @param seed decides which
   * @throws IllegalArgumentException if perTask is not positive
   */
  public static List<ShapePrompt> prompts(int perTask, long seed) {
    if (perTask < 1) {
      throw new IllegalArgumentException(
          "an evaluation needs at least one prompt in each category, found " + perTask);
    }
    List<ShapePrompt> prompts = new ArrayList<>();
    for (GenEval.Task task : GenEval.Task.values()) {
      ShapePrompt[] all = HeldOut.prompts(task).toArray(ShapePrompt[]::new);
      SeededRandom random = new SeededRandom(seed, task.ordinal());
      // Fisher and Yates.
      for (int i = all.length - 1; i > 0; i--) {
        int j = random.below(i + 1);
        ShapePrompt moved = all[i];
        all[i] = all[j];
        all[j] = moved;
      }
      for (int i = 0; i < perTask; i++) {
        prompts.add(all[i % all.length]);
      }
    }
    return prompts;
  }

  /** One line for each category and one for the overall score, as CSV with a heading. */
  public String csv() {
    StringBuilder text = new StringBuilder("category,correct,exact,pictures,rate,exact_rate\n");
    Arrays.stream(GenEval.Task.values())
        .filter(correct::containsKey)
        .forEach(task -> {
          GenEval.Count right = correct.get(task);
          GenEval.Count only = exact.get(task);
          text.append(
              "%s,%d,%d,%d,%s,%s%n"
                  .formatted(
                      task.label(),
                      right.correct(),
                      only.correct(),
                      right.total(),
                      right.rate(),
                      only.rate()));
        });
    if (correct.size() == GenEval.Task.values().length) {
      text.append("Overall,,,,%s,%s%n".formatted(overall(), overallExact()));
    }
    return text.toString();
  }
}
