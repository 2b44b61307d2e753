package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.rectiflow.datasets.SeededRandom;
import org.rectiflow.evaluation.GenEval;

/**
 * How the captions of a world are mixed, after Table 4, which mixes the captions that pictures came
 * with (here poor: they name one kind of shape and nothing else) and captions that describe the
 * whole picture (rich). Partial captions leave out what a coin decides, so that every word is met
 * beside and without every other. What is left gets the plain caption: what GenEval would ask for.
 *
 * @param rich share of rich captions
 * @param poor share of poor captions
 * @param partial share of partial captions
 */
public record CaptionMix(double rich, double poor, double partial) {
  /** GenEval's own prompts. */
  public static final CaptionMix PLAIN = new CaptionMix(0, 0);

  /** The original captions of Table 4. */
  public static final CaptionMix POOR = new CaptionMix(0, 1);

  /** The half and half of Table 4. */
  public static final CaptionMix HALF = new CaptionMix(0.5, 0.5);

  /**
   * Refuses shares that are none.
   *
   * @throws IllegalArgumentException unless all are in [0, 1] and their sum is no more than 1
   */
  public CaptionMix {
    if (!(rich >= 0) || !(poor >= 0) || !(partial >= 0) || !(rich + poor + partial <= 1)) {
      throw new IllegalArgumentException(
          "the shares of rich, poor and partial captions must be at least 0 and together at most 1,"
              + " found rich %s, poor %s and partial %s".formatted(rich, poor, partial));
    }
  }

  /** No partial captions. */
  public CaptionMix(double rich, double poor) {
    this(rich, poor, 0);
  }

  /**
   * Everything there is to say about a scene: number, sizes, colours, and places or relation.
   *
   * @param prompt what the scene was drawn for
   */
  public static ShapePrompt rich(ShapePrompt prompt, Scene scene) {
    DrawnShape first = scene.shapes().get(0);
    if (prompt.task() == GenEval.Task.COUNTING) {
      return ShapePrompt.counted(phrase(first, scene.shapes().size()));
    }
    if (prompt.second().isEmpty()) {
      Optional<Place> place =
          Arrays.stream(Place.values()).filter(p -> p.holds(first.x(), first.y(), 0)).findFirst();
      return ShapePrompt.one(phrase(first, 1), place);
    }
    DrawnShape second = scene.shapes().get(1);
    Optional<Relation> relation =
        nearestFirst(first.x() - second.x(), first.y() - second.y()).stream()
            .filter(r -> first.isThere(r, second))
            .findFirst();
    return relation
        .map(r -> ShapePrompt.placed(phrase(first, 1), r, phrase(second, 1)))
        .orElseGet(() -> ShapePrompt.two(phrase(first, 1), phrase(second, 1)));
  }

  /** The name of one kind of shape in the picture: "a star", "stars". */
  public static String poor(ShapePrompt prompt) {
    ShapePhrase first = prompt.first();
    return first.count() > 1
        ? first.kind().word() + "s"
        : ShapePrompt.one(ShapePhrase.of(first.kind())).text();
  }

  /**
   * A rich caption of which each size, colour, place or relation is left out as a coin falls.
   *
   * @param prompt what the scene was drawn for
   */
  static ShapePrompt partial(ShapePrompt prompt, Scene scene, SeededRandom coins) {
    ShapePrompt rich = rich(prompt, scene);
    ShapePhrase first = partial(rich.first(), coins);
    if (rich.task() == GenEval.Task.COUNTING) {
      return ShapePrompt.counted(first);
    }
    if (rich.second().isEmpty()) {
      return ShapePrompt.one(first, kept(rich.place(), coins));
    }
    ShapePhrase second = partial(rich.second().get(), coins);
    return kept(rich.relation(), coins)
        .map(relation -> ShapePrompt.placed(first, relation, second))
        .orElseGet(() -> ShapePrompt.two(first, second));
  }

  private static ShapePhrase partial(ShapePhrase phrase, SeededRandom coins) {
    return new ShapePhrase(
        phrase.count(), kept(phrase.size(), coins), kept(phrase.color(), coins), phrase.kind());
  }

  private static <T> Optional<T> kept(Optional<T> said, SeededRandom coins) {
    boolean keep = coins.below(2) == 1;
    return said.filter(_ -> keep);
  }

  private static ShapePhrase phrase(DrawnShape shape, int count) {
    return new ShapePhrase(
        count, Optional.of(shape.size()), Optional.of(shape.color()), shape.kind());
  }

  /** The relations, the one that the offset points to most first. */
  private static List<Relation> nearestFirst(double dx, double dy) {
    List<Relation> relations = new ArrayList<>(Arrays.asList(Relation.values()));
    relations.sort(
        Comparator.comparingDouble(relation ->
            switch (relation) {
              case LEFT_OF -> dx;
              case RIGHT_OF -> -dx;
              case ABOVE -> dy;
              case BELOW -> -dy;
            }));
    return relations;
  }
}
