package org.rectiflow.paper;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.rectiflow.paper.PaperItem.Coverage;
import org.rectiflow.paper.PaperItem.Kind;
import org.rectiflow.paper.PaperItem.Renderer;

/** Every numbered figure, table and algorithm of the paper (arXiv 2403.03206v1). */
public final class Catalogue {

  private static final List<PaperItem> ITEMS = items();

  private Catalogue() {}

  /** All 17 figures, 7 tables and 2 algorithms, in this order. */
  public static List<PaperItem> all() {
    return ITEMS;
  }

  /** All of a kind, by number. */
  public static List<PaperItem> all(Kind kind) {
    return ITEMS.stream().filter(item -> item.kind() == kind).toList();
  }

  /**
   * One item.
   *
   * @throws IllegalArgumentException if the paper has no such number; the message lists those it
   *     has
   */
  public static PaperItem find(Kind kind, int number) {
    return all(kind).stream()
        .filter(item -> item.number() == number)
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "The paper has no %s %d; it has the %ss %s."
                    .formatted(kind.word(), number, kind.word(), numbers(kind))));
  }

  private static String numbers(Kind kind) {
    return all(kind).stream()
        .map(item -> Integer.toString(item.number()))
        .collect(Collectors.joining(", "));
  }

  private static List<PaperItem> items() {
    List<PaperItem> items = new ArrayList<>(Figures.items());
    items.addAll(TablesAndAlgorithms.items());
    return List.copyOf(items);
  }

  /** An item that is drawn. */
  static PaperItem drawn(
      Kind kind,
      int number,
      String subject,
      Coverage coverage,
      String shown,
      String training,
      String unavailable,
      Renderer renderer) {
    return new PaperItem(
        kind, number, subject, coverage, shown, training, unavailable, Optional.of(renderer));
  }

  /** A figure of which nothing can be drawn. */
  static PaperItem missing(int number, String subject, String training, String unavailable) {
    return new PaperItem(
        Kind.FIGURE, number, subject, Coverage.NONE, "", training, unavailable, Optional.empty());
  }
}
