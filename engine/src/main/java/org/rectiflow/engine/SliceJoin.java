package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Gradients.SlicePart;

/** Derivatives of slices become the derivative of the whole: put side by side, gaps are zero. */
final class SliceJoin {
  private SliceJoin() {}

  /** Tensors of the shape of the whole whose sum is its derivative; as few as possible. */
  static List<Value> join(Graph graph, Shape whole, List<SlicePart> slices) {
    Map<Integer, List<SlicePart>> byAxis = new LinkedHashMap<>();
    for (SlicePart part : slices) {
      byAxis.computeIfAbsent(part.slice().axis(), _ -> new ArrayList<>()).add(part);
    }
    List<Value> wholes = new ArrayList<>();
    byAxis.forEach((axis, parts) -> {
      List<SlicePart> rest = new ArrayList<>(parts);
      rest.sort(Comparator.comparingInt(p -> p.slice().start()));
      while (!rest.isEmpty()) {
        wholes.add(row(graph, whole, axis, rest));
      }
    });
    return wholes;
  }

  /** Takes a row of slices that do not overlap out of {@code rest}, and joins them. */
  private static Value row(Graph graph, Shape whole, int axis, List<SlicePart> rest) {
    List<Value> row = new ArrayList<>();
    int end = 0;
    for (SlicePart part : List.copyOf(rest)) {
      int start = part.slice().start();
      if (start >= end) {
        addGap(graph, whole.with(axis, start - end), axis, row);
        row.add(part.dy());
        end = start + part.slice().length();
        rest.remove(part);
      }
    }
    addGap(graph, whole.with(axis, whole.dim(axis) - end), axis, row);
    return row.size() == 1 ? row.getFirst() : graph.concat(axis, row);
  }

  private static void addGap(Graph graph, Shape gap, int axis, List<Value> row) {
    if (gap.dim(axis) > 0) {
      row.add(graph.constant(Tensor.zeros(gap)));
    }
  }
}
