package org.rectiflow.engine;

/** Draws a graph in Graphviz's language. */
public final class DotWriter {
  private DotWriter() {}

  /** The drawing; parameters are left out, layers appear in the labels. */
  public static String draw(Graph graph) {
    StringBuilder dot = new StringBuilder("digraph {\n  node [shape=box, fontname=Helvetica];\n");
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Parameter) {
        continue;
      }
      String label = node.op() instanceof Op.Input(String name, _, _) ? name : node.op().name();
      String layer = node.scope().isEmpty() ? "" : "\\n" + node.scope();
      dot.append("  n%d [label=\"%s%s\"];\n".formatted(node.index(), label, layer));
      for (Value in : node.inputs()) {
        if (!(graph.nodes().get(in.node()).op() instanceof Op.Parameter)) {
          dot.append(
              "  n%d -> n%d [label=\"%s\"];\n".formatted(in.node(), node.index(), in.shape()));
        }
      }
    }
    graph
        .outputs()
        .forEach((name, v) ->
            dot.append("  \"out %s\" [shape=oval];\n".formatted(name))
                .append("  n%d -> \"out %s\";\n".formatted(v.node(), name)));
    return dot.append("}\n").toString();
  }
}
