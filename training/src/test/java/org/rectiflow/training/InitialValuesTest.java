package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Tensor;

class InitialValuesTest {
  private static final InitialRule DIT =
      InitialRule.dit(name -> name.startsWith("time"), name -> name.startsWith("norm1.linear"));

  private static InitialValues values(InitialRule rule, long seed) {
    return new InitialValues(rule, seed, Map.of("table", Tensor.of(new float[] {1, 2}, 2)));
  }

  private static double deviation(float[] values) {
    double sum = 0;
    for (float v : values) {
      sum += (double) v * v;
    }
    return Math.sqrt(sum / values.length);
  }

  private static double largest(float[] values) {
    double max = 0;
    for (float v : values) {
      max = Math.max(max, Math.abs(v));
    }
    return max;
  }

  @Test
  void ditsRule() {
    InitialValues v = values(DIT, 5);
    float[] linear = v.require("ff.weight", 300, 100).toFloats();
    double bound = Math.sqrt(6.0 / 400);
    assertThat(largest(linear)).isBetween(0.99 * bound, bound);
    assertThat(deviation(linear)).isCloseTo(bound / Math.sqrt(3), within(0.01 * bound));
    float[] patch = v.require("patch.weight", 64, 16, 2, 2).toFloats();
    assertThat(largest(patch)).isBetween(0.98 * Math.sqrt(6.0 / 128), Math.sqrt(6.0 / 128));
    float[] time = v.require("time.linear_1.weight", 128, 256).toFloats();
    assertThat(deviation(time)).isCloseTo(0.02, within(0.0005));
    assertThat(v.require("norm1.linear.weight", 6, 3).toFloats()).containsOnly(0);
    assertThat(v.require("ff.bias", 300).toFloats()).containsOnly(0);
    assertThat(v.require("norm_q.weight", 64).toFloats()).containsOnly(1);
  }

  @Test
  void torchsRule() {
    InitialValues v = values(InitialRule.torch(name -> name.startsWith("token")), 5);
    float[] linear = v.require("ff.weight", 300, 100).toFloats();
    assertThat(largest(linear)).isBetween(0.099, 0.1);
    float[] bias = v.require("ff.bias", 3000).toFloats();
    assertThat(largest(bias)).isBetween(0.099, 0.1);
    assertThat(deviation(v.require("token.weight", 500, 40).toFloats())).isCloseTo(1, within(0.02));
    assertThat(v.require("norm.weight", 64).toFloats()).containsOnly(1);
    assertThat(v.require("norm.bias", 64).toFloats()).containsOnly(0);
  }

  @Test
  void valuesDependOnSeedAndNameAlone() {
    InitialValues a = values(DIT, 5);
    InitialValues b = values(DIT, 5);
    b.require("other.weight", 7, 7);
    float[] first = a.require("ff.weight", 4, 4).toFloats();
    assertThat(b.require("ff.weight", 4, 4).toFloats()).isEqualTo(first);
    assertThat(a.require("ff.weight", 4, 4).toFloats()).isEqualTo(first);
    assertThat(values(DIT, 6).require("ff.weight", 4, 4).toFloats()).isNotEqualTo(first);
    assertThat(a.require("fg.weight", 4, 4).toFloats()).isNotEqualTo(first);
  }

  @Test
  void givenTensorsStayAndShapesAreChecked() {
    InitialValues v = values(DIT, 5);
    assertThat(v.require("table", 2).toFloats()).containsExactly(1, 2);
    assertThat(v.names()).containsExactly("table");
    assertThatThrownBy(() -> v.require("table", 3)).isInstanceOf(CheckpointException.class);
  }
}
