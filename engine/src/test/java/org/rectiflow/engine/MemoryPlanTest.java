package org.rectiflow.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {

  @Test
  void aChainNeedsTwoBuffersOnly() {
    Graph g = new Graph();
    Value x = g.input("x", 16, 64);
    for (int i = 0; i < 20; i++) {
      x = g.silu(x);
    }
    g.output("y", x);

    assertThat(MemoryPlan.of(g).arenaBytes()).isEqualTo(2 * 4 * 16 * 64);
  }

  @Test
  void reshapesAndLeadingSlicesAreViews() {
    Graph g = new Graph();
    Value x = g.input("x", 1, 6, 8);
    Value reshaped = g.reshape(x, 6, 8);
    Value part = g.slice(reshaped, 0, 2, 3);
    Value strided = g.slice(reshaped, 1, 2, 3);
    g.output("part", part);
    g.output("strided", strided);
    MemoryPlan plan = MemoryPlan.of(g);

    assertThat(plan.offset(reshaped)).isEqualTo(plan.offset(x));
    assertThat(plan.offset(part)).isEqualTo(plan.offset(x) + 4 * 2 * 8);
    assertThat(plan.isFree(g.nodes().get(part.node()))).isTrue();
    assertThat(plan.isFree(g.nodes().get(strided.node()))).isFalse();
  }

  @Test
  void partsOfALeadingConcatenationAreWrittenInPlace() {
    Graph g = new Graph();
    Value x = g.input("x", 1, 3, 8);
    Value a = g.silu(x);
    Value b = g.affine(x, 2, 0);
    Value joined = g.concat(1, List.of(a, b));
    g.output("joined", joined);
    MemoryPlan plan = MemoryPlan.of(g);

    assertThat(plan.offset(a)).isEqualTo(plan.offset(joined));
    assertThat(plan.offset(b)).isEqualTo(plan.offset(joined) + 4 * 3 * 8);
    assertThat(plan.isFree(g.nodes().get(joined.node()))).isTrue();
  }

  @Test
  void aPartUsedElsewhereIsCopied() {
    Graph g = new Graph();
    Value x = g.input("x", 1, 3, 8);
    Value joined = g.concat(1, List.of(x, x));
    g.output("joined", joined);

    assertThat(MemoryPlan.of(g).isFree(g.nodes().get(joined.node()))).isFalse();
  }

  @Test
  void inputsRecordedLateAreNotOverwrittenBeforeTheyAreRead() {
    Graph g = new Graph();
    Value first = g.silu(g.silu(g.input("x", 8)));
    Value late = g.input("late", 8);
    g.output("y", g.add(first, late));
    MemoryPlan plan = MemoryPlan.of(g);

    for (Node node : g.nodes()) {
      if (node.output() != late) {
        assertThat(plan.offset(node.output())).isNotEqualTo(plan.offset(late));
      }
    }
  }

  /** Values that are alive at the same time share no byte, unless one is a view of the other. */
  @RepeatedTest(50)
  void valuesAliveTogetherDoNotOverlap(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    Graph g = new Graph();
    List<Value> values = new ArrayList<>(List.of(g.input("x", 1, 4, 6)));
    for (int i = 0; i < 40; i++) {
      Value v = values.get(random.nextInt(values.size()));
      values.add(
          switch (random.nextInt(4)) {
            case 0 -> g.silu(v);
            case 1 -> g.add(v, v);
            case 2 -> g.concat(1, List.of(v, g.silu(v)));
            default -> g.reshape(v, v.shape().dims());
          });
    }
    g.output("last", values.getLast());
    g.output("first", values.get(3));
    MemoryPlan plan = MemoryPlan.of(g);

    // Runs the plan on tokens: every write marks its bytes with a value's identity; every read
    // must find what the producer left.
    long[] memory = new long[(int) plan.arenaBytes() / 4];
    Map<Value, long[]> expected = new HashMap<>();
    for (Node node : g.nodes()) {
      for (Value in : node.inputs()) {
        assertThat(read(memory, plan, in))
            .as("%s read by %s", in, node)
            .isEqualTo(expected.get(in));
      }
      Value out = node.output();
      long[] content = new long[(int) out.shape().count()];
      switch (node.op()) {
        case Op.Reshape _ -> content = expected.get(node.inputs().getFirst());
        case Op.Concat _ -> {
          int at = 0;
          for (Value part : node.inputs()) {
            long[] source = expected.get(part);
            System.arraycopy(source, 0, content, at, source.length);
            at += source.length;
          }
        }
        default -> {
          for (int i = 0; i < content.length; i++) {
            content[i] = node.index() * 1_000_000L + i;
          }
        }
      }
      if (!plan.isFree(node)) {
        System.arraycopy(content, 0, memory, (int) (plan.offset(out) / 4), content.length);
      }
      expected.put(out, content);
    }
    g.outputs().values().forEach(v -> assertThat(read(memory, plan, v)).isEqualTo(expected.get(v)));
  }

  private static long[] read(long[] memory, MemoryPlan plan, Value v) {
    int from = (int) (plan.offset(v) / 4);
    return java.util.Arrays.copyOfRange(memory, from, from + (int) v.shape().count());
  }
}
