package org.rectiflow.datasets.shapes;

import java.util.Optional;
import org.rectiflow.evaluation.GenEval;

/**
 * What a caption says, as numbers and names.
 *
 * @param task the category of GenEval it belongs to
 * @param first the only or the first noun
 * @param second the second noun of a caption with two
 * @param relation where the first lies as seen from the second; only with a second
 * @param place where the only shape lies in the picture; only without a second
 */
public record ShapePrompt(
    GenEval.Task task,
    ShapePhrase first,
    Optional<ShapePhrase> second,
    Optional<Relation> relation,
    Optional<Place> place) {
  private static final String[] NUMBERS = {"one", "two", "three", "four"};

  /**
   * Refuses what is not a caption of its category.
   *
   * @throws IllegalArgumentException if nouns, relation and category do not fit together
   */
  public ShapePrompt {
    boolean fits =
        switch (task) {
          case SINGLE_OBJECT -> second.isEmpty() && first.count() == 1 && first.color().isEmpty();
          case COLORS -> second.isEmpty() && first.count() == 1 && first.color().isPresent();
          case COUNTING -> second.isEmpty() && place.isEmpty();
          case TWO_OBJECTS ->
              second.isPresent()
                  && relation.isEmpty()
                  && first.color().isEmpty()
                  && second.get().color().isEmpty();
          case COLOR_ATTRIBUTION ->
              second.isPresent()
                  && relation.isEmpty()
                  && (first.color().isPresent() || second.get().color().isPresent());
          case POSITION -> second.isPresent() && relation.isPresent();
        };
    boolean pair = second.isEmpty() || (first.count() == 1 && second.get().count() == 1);
    if (!fits || !pair || (relation.isPresent() && second.isEmpty())) {
      throw new IllegalArgumentException(
          "not a caption of category %s: %s, %s, %s, %s"
              .formatted(task.label(), first, second, relation, place));
    }
    if (second.isPresent() && place.isPresent()) {
      throw new IllegalArgumentException("a place is given for one shape only: " + place);
    }
  }

  /** "a star", "a red star": one shape. */
  public static ShapePrompt one(ShapePhrase phrase) {
    return one(phrase, Optional.empty());
  }

  /** "a red star at the top left". */
  public static ShapePrompt one(ShapePhrase phrase, Optional<Place> place) {
    GenEval.Task task =
        phrase.color().isPresent() ? GenEval.Task.COLORS : GenEval.Task.SINGLE_OBJECT;
    return new ShapePrompt(task, phrase, Optional.empty(), Optional.empty(), place);
  }

  /** "three green triangles". */
  public static ShapePrompt counted(ShapePhrase phrase) {
    return new ShapePrompt(
        GenEval.Task.COUNTING, phrase, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** "a circle and a star", "a red circle and a blue star". */
  public static ShapePrompt two(ShapePhrase first, ShapePhrase second) {
    GenEval.Task task =
        first.color().isPresent() || second.color().isPresent()
            ? GenEval.Task.COLOR_ATTRIBUTION
            : GenEval.Task.TWO_OBJECTS;
    return new ShapePrompt(task, first, Optional.of(second), Optional.empty(), Optional.empty());
  }

  /** "a red circle to the left of a blue star". */
  public static ShapePrompt placed(ShapePhrase first, Relation relation, ShapePhrase second) {
    return new ShapePrompt(
        GenEval.Task.POSITION, first, Optional.of(second), Optional.of(relation), Optional.empty());
  }

  /** The caption in words, all lower case. {@link CaptionParser} reads it back. */
  public String text() {
    if (task == GenEval.Task.COUNTING) {
      return number(first.count()) + " " + first.words();
    }
    String text = withArticle(first);
    if (second.isPresent()) {
      String joint = relation.map(Relation::words).orElse("and");
      return text + " " + joint + " " + withArticle(second.get());
    }
    return place.isPresent() ? text + " at the " + place.get().words() : text;
  }

  private static String withArticle(ShapePhrase phrase) {
    String words = phrase.words();
    // Of all words a phrase can begin with only "orange" begins with a vowel.
    return (words.startsWith("orange") ? "an " : "a ") + words;
  }

  /** The word for a count from one to four. */
  static String number(int count) {
    return NUMBERS[count - 1];
  }
}
