package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.PromptEmbedding.Layout;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Tensor;

class PromptEmbeddingTest {
  private static final Layout LAYOUT = new Layout(4, 3, 2, 1);
  private static final Optional<ClipOutput> L =
      Optional.of(
          new ClipOutput(Tensor.of(new float[] {1, 2}, 1, 2, 1), Tensor.of(new float[] {3}, 1, 1)));
  private static final Optional<ClipOutput> G =
      Optional.of(
          new ClipOutput(
              Tensor.of(new float[] {4, 5, 6, 7}, 1, 2, 2), Tensor.of(new float[] {8, 9}, 1, 2)));
  private static final Optional<Tensor> T5 =
      Optional.of(Tensor.of(new float[] {10, 11, 12, 13}, 1, 1, 4));

  @Test
  void clipsSideBySideThenT5() {
    PromptEmbedding all = PromptEmbedding.assemble(LAYOUT, L, G, T5);
    assertThat(all.context())
        .isEqualTo(Tensor.of(new float[] {1, 4, 5, 0, 2, 6, 7, 0, 10, 11, 12, 13}, 1, 3, 4));
    assertThat(all.pooled()).isEqualTo(Tensor.of(new float[] {3, 8, 9}, 1, 3));
  }

  @Test
  void anAbsentEncoderLeavesZerosInItsPlace() {
    assertThat(context(L, G, Optional.empty())).containsExactly(1, 4, 5, 0, 2, 6, 7, 0, 0, 0, 0, 0);
    assertThat(context(Optional.empty(), G, T5))
        .containsExactly(0, 4, 5, 0, 0, 6, 7, 0, 10, 11, 12, 13);
    assertThat(context(L, Optional.empty(), T5))
        .containsExactly(1, 0, 0, 0, 2, 0, 0, 0, 10, 11, 12, 13);
    assertThat(context(Optional.empty(), Optional.empty(), T5))
        .containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 10, 11, 12, 13);
    assertThat(context(Optional.empty(), Optional.empty(), Optional.empty())).containsOnly(0);
    assertThat(pooled(Optional.empty(), G)).containsExactly(0, 8, 9);
    assertThat(pooled(L, Optional.empty())).containsExactly(3, 0, 0);
    assertThat(pooled(Optional.empty(), Optional.empty())).containsExactly(0, 0, 0);
  }

  @Test
  void aBatchStacksEmbeddings() {
    PromptEmbedding all = PromptEmbedding.assemble(LAYOUT, L, G, T5);
    PromptEmbedding none =
        PromptEmbedding.assemble(LAYOUT, Optional.empty(), Optional.empty(), Optional.empty());
    PromptEmbedding batch = PromptEmbedding.batch(List.of(none, all));
    assertThat(batch.pooled()).isEqualTo(Tensor.of(new float[] {0, 0, 0, 3, 8, 9}, 2, 3));
    assertThat(batch.context().shape().dims()).containsExactly(2, 3, 4);
    assertThat(batch.context().data()).startsWith(0, 0, 0).endsWith(10, 11, 12, 13);
    PromptEmbedding longer =
        PromptEmbedding.assemble(
            new Layout(4, 3, 2, 2), Optional.empty(), Optional.empty(), Optional.empty());
    assertThatThrownBy(() -> PromptEmbedding.batch(List.of(all, longer)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[1, 3, 4]")
        .hasMessageContaining("[1, 4, 4]");
    assertThatThrownBy(() -> PromptEmbedding.batch(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aLoneClipWiderThanThePooledEmbedding() {
    assertThatThrownBy(() ->
            PromptEmbedding.assemble(new Layout(4, 1, 2, 1), Optional.empty(), G, Optional.empty()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expects 1");
  }

  private static float[] context(
      Optional<ClipOutput> clipL, Optional<ClipOutput> clipG, Optional<Tensor> t5) {
    return PromptEmbedding.assemble(LAYOUT, clipL, clipG, t5).context().data();
  }

  private static float[] pooled(Optional<ClipOutput> clipL, Optional<ClipOutput> clipG) {
    return PromptEmbedding.assemble(LAYOUT, clipL, clipG, T5).pooled().data();
  }
}
