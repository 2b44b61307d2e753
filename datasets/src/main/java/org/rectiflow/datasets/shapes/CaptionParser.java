package org.rectiflow.datasets.shapes;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads captions of the shapes world. Understood are those that {@link ShapePrompt#text} writes,
 * "under" for below, "on top of" for above, "is" before a relation, and "the" for "a".
 */
public final class CaptionParser {
  private final String caption;
  private final List<String> words;
  private int next;

  private CaptionParser(String caption) {
    this.caption = caption;
    String plain = caption.toLowerCase(Locale.ROOT).replaceAll("[.,!]", " ").strip();
    words = plain.isEmpty() ? List.of() : Arrays.asList(plain.split("\\s+", -1));
  }

  /**
   * What a caption says.
   *
   * @throws IllegalArgumentException if it is none of this world; the message names the word
   */
  public static ShapePrompt parse(String caption) {
    return new CaptionParser(caption).prompt();
  }

  private ShapePrompt prompt() {
    Optional<Integer> number = number();
    if (number.isPresent()) {
      ShapePhrase phrase = phrase(number.get());
      requireEnd();
      return ShapePrompt.counted(phrase);
    }
    ShapePhrase first = articlePhrase();
    if (next == words.size()) {
      return ShapePrompt.one(first);
    }
    if (take("and")) {
      ShapePhrase second = articlePhrase();
      requireEnd();
      return ShapePrompt.two(first, second);
    }
    Optional<Place> place = match(Place.values(), p -> "at the " + p.words());
    if (place.isPresent()) {
      requireEnd();
      return ShapePrompt.one(first, place);
    }
    Relation relation = relation();
    ShapePhrase second = articlePhrase();
    requireEnd();
    return ShapePrompt.placed(first, relation, second);
  }

  private Optional<Integer> number() {
    for (int count = 1; count <= ShapePhrase.MAX_COUNT; count++) {
      if (take(ShapePrompt.number(count))) {
        return Optional.of(count);
      }
    }
    return Optional.empty();
  }

  private Relation relation() {
    take("is");
    if (take("under")) {
      return Relation.BELOW;
    }
    if (take("on top of")) {
      return Relation.ABOVE;
    }
    return match(Relation.values(), Relation::words)
        .orElseThrow(() ->
            refuse("'and', 'at the ...', 'to the left of', 'to the right of', 'above' or 'below'"));
  }

  private ShapePhrase articlePhrase() {
    if (!take("a") && !take("an") && !take("the")) {
      throw refuse("'a', 'an' or a number from one to four");
    }
    return phrase(1);
  }

  private ShapePhrase phrase(int count) {
    Optional<ShapeSize> size = match(ShapeSize.values(), ShapeSize::word);
    Optional<ShapeColor> color = match(ShapeColor.values(), ShapeColor::word);
    String plural = count > 1 ? "s" : "";
    ShapeKind kind =
        match(ShapeKind.values(), k -> k.word() + plural)
            .orElseThrow(() ->
                refuse(
                    "a size, a colour or one of the shapes circle, square, triangle, star"
                        + (count > 1 ? " in the plural" : "")));
    return new ShapePhrase(count, size, color, kind);
  }

  /** The constant with the longest text that comes next. */
  private <T> Optional<T> match(T[] constants, Function<T, String> text) {
    Optional<T> longest =
        Arrays.stream(constants)
            .filter(constant -> comesNext(text.apply(constant)))
            .max((a, b) -> Integer.compare(text.apply(a).length(), text.apply(b).length()));
    longest.ifPresent(constant -> take(text.apply(constant)));
    return longest;
  }

  private boolean comesNext(String text) {
    List<String> wanted = Arrays.asList(text.split(" ", -1));
    int end = next + wanted.size();
    return end <= words.size() && words.subList(next, end).equals(wanted);
  }

  private boolean take(String text) {
    boolean found = comesNext(text);
    if (found) {
      next += text.split(" ", -1).length;
    }
    return found;
  }

  private void requireEnd() {
    if (next < words.size()) {
      throw refuse("nothing more");
    }
  }

  private IllegalArgumentException refuse(String expected) {
    String found = next < words.size() ? "'" + words.get(next) + "'" : "the end";
    return new IllegalArgumentException(
        "'%s' is not a caption of the shapes world: word %d should be %s, found %s"
            .formatted(caption, next + 1, expected, found));
  }
}
