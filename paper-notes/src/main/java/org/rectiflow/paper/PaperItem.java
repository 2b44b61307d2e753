package org.rectiflow.paper;

import java.util.Locale;
import java.util.Optional;
import org.rectiflow.paper.output.Rendering;

/**
 * A numbered figure, table or algorithm of the paper and what can be had of it here.
 *
 * @param kind figure, table or algorithm
 * @param number the paper's number
 * @param subject what the paper shows, in our words
 * @param coverage how much of it is redrawn
 * @param shown what is shown here
 * @param training what would need training or released weights; empty if nothing
 * @param unavailable what cannot be had at all; empty if nothing
 * @param renderer draws what is shown, if anything is
 */
public record PaperItem(
    Kind kind,
    int number,
    String subject,
    Coverage coverage,
    String shown,
    String training,
    String unavailable,
    Optional<Renderer> renderer) {

  /** What is numbered. */
  public enum Kind {
    /** A figure. */
    FIGURE,
    /** A table. */
    TABLE,
    /** An algorithm. */
    ALGORITHM;

    /** Lower-case word: figure, table, algorithm. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How much is redrawn. */
  public enum Coverage {
    /** Everything in it is computed here. */
    WHOLE("whole"),
    /** A part is computed, or an exact stand-in of ours is shown in its place. */
    PART("in part"),
    /** Nothing can be shown without training, weights or people. */
    NONE("not");

    private final String word;

    Coverage(String word) {
      this.word = word;
    }

    /** For a table column. */
    public String word() {
      return word;
    }
  }

  /** Draws or computes one item. */
  @FunctionalInterface
  public interface Renderer {
    /** Makes everything that is shown for the item. */
    Rendering render();
  }

  /** Checks that something is drawn exactly when something is shown. */
  public PaperItem {
    if (renderer.isPresent() == (coverage == Coverage.NONE)) {
      throw new IllegalArgumentException(
          "%s %d must have a renderer if and only if something of it is shown"
              .formatted(kind.word(), number));
    }
  }

  /** For instance {@code Figure 6}. */
  public String label() {
    String word = kind.word();
    return Character.toUpperCase(word.charAt(0)) + word.substring(1) + " " + number;
  }
}
