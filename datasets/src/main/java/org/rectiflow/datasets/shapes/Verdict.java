package org.rectiflow.datasets.shapes;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.rectiflow.evaluation.GenEval;

/**
 * Whether a picture shows what its prompt says.
 *
 * @param prompt what was asked for
 * @param seen what is in the picture
 * @param correct by GenEval's rules: what is asked for must be there; other things may be there
 *     too, except that a counted kind must have the number asked for
 * @param exact correct, and nothing else is in the picture
 */
public record Verdict(ShapePrompt prompt, List<SeenShape> seen, boolean correct, boolean exact) {
  /** Distance in parts of the side by which a shape may miss its place. */
  private static final double TOLERANCE = 0.05;

  public Verdict {
    seen = List.copyOf(seen);
  }

  /** Judges what was seen in a picture. */
  public static Verdict of(ShapePrompt prompt, List<SeenShape> seen) {
    List<SeenShape> first = matching(seen, prompt.first());
    boolean correct;
    int wanted = prompt.first().count();
    if (prompt.second().isPresent()) {
      List<SeenShape> second = matching(seen, prompt.second().get());
      wanted++;
      correct =
          first.stream()
              .anyMatch(a -> second.stream().anyMatch(b -> !a.equals(b) && related(prompt, a, b)));
    } else if (prompt.task() == GenEval.Task.COUNTING) {
      correct = first.size() == wanted;
    } else {
      correct =
          first.stream()
              .anyMatch(shape ->
                  prompt.place().isEmpty()
                      || prompt.place().get().holds(shape.x(), shape.y(), TOLERANCE));
    }
    return new Verdict(prompt, seen, correct, correct && seen.size() == wanted);
  }

  private static boolean related(ShapePrompt prompt, SeenShape first, SeenShape second) {
    return prompt.relation().isEmpty() || first.isThere(prompt.relation().get(), second);
  }

  private static List<SeenShape> matching(List<SeenShape> seen, ShapePhrase phrase) {
    List<SeenShape> matching = new ArrayList<>(seen);
    matching.removeIf(shape -> !shape.is(phrase));
    return matching;
  }

  /** What is in the picture, in words. */
  public String found() {
    return seen.isEmpty()
        ? "nothing"
        : seen.stream().map(SeenShape::toString).collect(Collectors.joining(", "));
  }
}
