package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.rectiflow.evaluation.GenEval;

/**
 * Which captions are kept for evaluation. The choice is a fixed arithmetic one, after the manner of
 * a Latin square: every shape, colour, size, count and relation occurs in training, but the
 * held-out combinations of them never do, in whichever order a caption names its two shapes.
 */
@SuppressWarnings("EnumOrdinal") // the choice is arithmetic on the order of the constants
public final class HeldOut {
  private static final List<ShapePrompt> PROMPTS =
      Arrays.stream(GenEval.Task.values())
          .flatMap(task -> all(task).stream())
          .filter(HeldOut::contains)
          .toList();

  private HeldOut() {}

  /** Whether a prompt is kept for evaluation. Prompts with a place in the picture never are. */
  public static boolean contains(ShapePrompt prompt) {
    ShapePhrase a = prompt.first();
    if (prompt.place().isPresent()) {
      return false;
    }
    return switch (prompt.task()) {
      // "a star" says too little to be held out; of "a small star" and "a big star" one is.
      case SINGLE_OBJECT -> size(a) > 0 && (a.kind().ordinal() + size(a)) % 2 == 0;
      case COLORS -> (3 * a.kind().ordinal() + color(a) + size(a)) % 6 == 0;
      case COUNTING -> (a.count() + 3 * a.kind().ordinal() + color(a)) % 6 == 0;
      case TWO_OBJECTS ->
          a.kind().ordinal() + prompt.second().orElseThrow().kind().ordinal()
              == ShapeKind.values().length - 1;
      case COLOR_ATTRIBUTION -> {
        ShapePhrase b = prompt.second().orElseThrow();
        boolean swap = a.kind().compareTo(b.kind()) > 0;
        yield (swap ? pair(b, a) : pair(a, b)) % 6 == 0;
      }
      case POSITION -> {
        ShapePhrase b = prompt.second().orElseThrow();
        yield switch (prompt.relation().orElseThrow()) {
          case LEFT_OF -> pair(a, b) % 6 == 0;
          case RIGHT_OF -> pair(b, a) % 6 == 0;
          case ABOVE -> pair(a, b) % 6 == 3;
          case BELOW -> pair(b, a) % 6 == 3;
        };
      }
    };
  }

  /** All held-out prompts of a category, in a fixed order. */
  public static List<ShapePrompt> prompts(GenEval.Task task) {
    return PROMPTS.stream().filter(prompt -> prompt.task() == task).toList();
  }

  private static int pair(ShapePhrase a, ShapePhrase b) {
    return a.kind().ordinal()
        + 2 * b.kind().ordinal()
        + color(a)
        + 3 * color(b)
        + size(a)
        + size(b);
  }

  /** No size and a medium one read alike. */
  private static int size(ShapePhrase phrase) {
    return switch (phrase.size().orElse(ShapeSize.MEDIUM)) {
      case MEDIUM -> 0;
      case SMALL -> 1;
      case BIG -> 2;
    };
  }

  private static int color(ShapePhrase phrase) {
    return phrase.color().map(ShapeColor::ordinal).orElse(0);
  }

  /** Every prompt of a category that the world draws as its plain caption. */
  static List<ShapePrompt> all(GenEval.Task task) {
    List<ShapePrompt> prompts = new ArrayList<>();
    switch (task) {
      case SINGLE_OBJECT -> sized(Optional.empty()).forEach(p -> prompts.add(ShapePrompt.one(p)));
      case COLORS -> {
        for (ShapeColor color : ShapeColor.values()) {
          sized(Optional.of(color)).forEach(p -> prompts.add(ShapePrompt.one(p)));
        }
      }
      case COUNTING -> {
        for (int count = 1; count <= ShapePhrase.MAX_COUNT; count++) {
          for (ShapePhrase p : colored()) {
            prompts.add(ShapePrompt.counted(new ShapePhrase(count, p.size(), p.color(), p.kind())));
          }
        }
      }
      case TWO_OBJECTS ->
          pairs(Arrays.stream(ShapeKind.values()).map(ShapePhrase::of).toList())
              .forEach(pair -> prompts.add(ShapePrompt.two(pair.get(0), pair.get(1))));
      case COLOR_ATTRIBUTION ->
          pairs(colored()).forEach(pair -> prompts.add(ShapePrompt.two(pair.get(0), pair.get(1))));
      case POSITION -> {
        for (Relation relation : Relation.values()) {
          pairs(colored())
              .forEach(pair -> prompts.add(ShapePrompt.placed(pair.get(0), relation, pair.get(1))));
        }
      }
    }
    return prompts;
  }

  private static List<ShapePhrase> sized(Optional<ShapeColor> color) {
    List<ShapePhrase> phrases = new ArrayList<>();
    for (ShapeKind kind : ShapeKind.values()) {
      phrases.add(new ShapePhrase(1, Optional.empty(), color, kind));
      phrases.add(new ShapePhrase(1, Optional.of(ShapeSize.SMALL), color, kind));
      phrases.add(new ShapePhrase(1, Optional.of(ShapeSize.BIG), color, kind));
    }
    return phrases;
  }

  private static List<ShapePhrase> colored() {
    return Arrays.stream(ShapeKind.values())
        .flatMap(
            kind -> Arrays.stream(ShapeColor.values()).map(color -> ShapePhrase.of(color, kind)))
        .toList();
  }

  /** Ordered pairs of unlike shapes of unlike colours. */
  private static List<List<ShapePhrase>> pairs(List<ShapePhrase> phrases) {
    List<List<ShapePhrase>> pairs = new ArrayList<>();
    for (ShapePhrase a : phrases) {
      for (ShapePhrase b : phrases) {
        boolean sameColor = a.color().isPresent() && a.color().equals(b.color());
        if (a.kind() != b.kind() && !sameColor) {
          pairs.add(List.of(a, b));
        }
      }
    }
    return pairs;
  }
}
