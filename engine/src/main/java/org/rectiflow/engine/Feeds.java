package org.rectiflow.engine;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.rectiflow.engine.Executable.Feed;

/** Checks what a caller feeds a graph. */
public final class Feeds {
  private Feeds() {}

  /**
   * The feeds in the order of the graph's inputs.
   *
   * @throws IllegalArgumentException if one is missing, unknown, or of another shape or type
   */
  public static Map<Node, Feed> match(Graph graph, Map<String, Feed> feeds) {
    Map<Node, Feed> matched = new LinkedHashMap<>();
    Set<String> known = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Input(String name, Shape shape, ElementType type)) {
        Feed feed = feeds.get(name);
        if (feed == null) {
          throw new IllegalArgumentException("no value for the graph's input " + name);
        }
        ElementType fed = feed instanceof Feed.Ints ? ElementType.I32 : ElementType.F32;
        if (!feed.shape().equals(shape) || fed != type) {
          throw new IllegalArgumentException(
              String.format(
                  "input %s expects %s %s, got %s %s", name, type, shape, fed, feed.shape()));
        }
        matched.put(node, feed);
        known.add(name);
      }
    }
    for (String name : feeds.keySet()) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException("the graph has no input named " + name);
      }
    }
    return matched;
  }
}
