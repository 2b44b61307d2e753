package org.rectiflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Op.Padding;

/** Mistakes are reported where a model makes them, with what was expected. */
class ShapeRulesTest {
  private final Graph g = new Graph();

  private Value x(int... dims) {
    return g.input("in" + g.nodes().size(), dims);
  }

  @Test
  void shapesOfResults() {
    assertThat(g.linear(x(2, 5, 8), x(3, 8), x(3)).shape()).isEqualTo(Shape.of(2, 5, 3));
    assertThat(g.conv2d(x(1, 4, 9, 7), x(6, 4, 3, 3), x(6), 2, new Padding(0, 1, 0, 1)).shape())
        .isEqualTo(Shape.of(1, 6, 4, 3));
    assertThat(g.permute(x(2, 3, 4), 2, 0, 1).shape()).isEqualTo(Shape.of(4, 2, 3));
    assertThat(g.gather(x(9, 4), g.intInput("ids", 2, 3)).shape()).isEqualTo(Shape.of(2, 3, 4));
    assertThat(g.chunk(x(2, 6), -1, 3).get(2).shape()).isEqualTo(Shape.of(2, 2));
  }

  @Test
  void mistakesNameTheLayerAndTheShapes() {
    Value x = x(2, 5, 8);
    try (Graph.Scope _ = g.scope("block7");
        Graph.Scope _ = g.scope("attn")) {
      assertThatThrownBy(() -> g.linear(x, x(3, 9)))
          .hasMessage(
              "Linear in block7.attn: x [2, 5, 8] has 8 channels, the weight [3, 9] expects 9");
    }
    assertThatThrownBy(() -> g.add(x, x(5))).hasMessage("Add: [5] does not broadcast to [2, 5, 8]");
    assertThatThrownBy(() -> g.modulate(x, x(2, 8), x(2, 7)))
        .hasMessage("Modulate: scale must be [2, 8], got [2, 7]");
    assertThatThrownBy(() -> g.jointAttention(3, List.of(new Qkv(x, x, x))))
        .hasMessage("Attention: width 8 does not divide into 3 heads");
    assertThatThrownBy(() -> g.reshape(x, 3, 3))
        .hasMessage("Reshape: [2, 5, 8] has another number of elements than [3, 3]");
    assertThatThrownBy(() -> g.slice(x, 1, 3, 3))
        .hasMessage("Slice: entries 3 to 6 of an axis of 5");
    assertThatThrownBy(() -> g.gather(x(9, 4), x(2, 3)))
        .hasMessage("Gather: operand 1 is F32, expected I32");
  }

  @Test
  void valuesOfAnotherGraphAreRefused() {
    Value foreign = new Graph().input("x", 3);
    assertThatThrownBy(() -> g.silu(foreign)).hasMessageContaining("belongs to another graph");
  }

  @Test
  void outputsHaveOneName() {
    g.output("y", x(3));
    assertThatThrownBy(() -> g.output("y", x(3)))
        .hasMessage("the graph already has an output named y");
  }
}
