package org.rectiflow.backbones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.MmditConfig;

class BackboneTest {

  @ParameterizedTest
  @EnumSource
  void answersAVelocityShapedAsTheLatent(Backbone backbone) {
    Tensor velocity = velocity(Sizes.tiny(backbone, true), Sizes.inputs());
    assertThat(velocity.shape()).isEqualTo(Shape.of(Sizes.BATCH, 3, Sizes.HEIGHT, Sizes.WIDTH));
    for (float v : velocity.data()) {
      assertThat(v).isFinite();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyInputMatters(Backbone backbone) {
    BackboneConfig config = Sizes.tiny(backbone, false);
    Tensor velocity = velocity(config, Sizes.inputs());
    for (String input : Sizes.inputs().keySet()) {
      Map<String, Tensor> changed = new HashMap<>(Sizes.inputs());
      Tensor old = changed.get(input);
      changed.put(input, Sizes.values(new Random(5), old.shape().dims()));
      assertThat(velocity(config, changed).data()).as(input).isNotEqualTo(velocity.data());
    }
  }

  /** Every text token, the last one too, has a way into the picture. */
  @ParameterizedTest
  @EnumSource
  void everyTextTokenMatters(Backbone backbone) {
    BackboneConfig config = Sizes.tiny(backbone, true);
    Tensor velocity = velocity(config, Sizes.inputs());
    for (int t = 0; t < Sizes.CONTEXT; t++) {
      Map<String, Tensor> changed = new HashMap<>(Sizes.inputs());
      Tensor context = changed.get("context");
      float[] data = context.data().clone();
      int channels = context.shape().dim(2);
      data[t * channels] += 1;
      changed.put("context", new Tensor(context.shape(), data));
      assertThat(velocity(config, changed).data()).as("token " + t).isNotEqualTo(velocity.data());
    }
  }

  @ParameterizedTest
  @EnumSource
  void countsItsParameters(Backbone backbone) {
    for (boolean qkNorm : new boolean[] {false, true}) {
      BackboneConfig config = Sizes.tiny(backbone, qkNorm);
      assertThat(config.parameters()).isEqualTo(weights(config).parameters());
    }
  }

  @Test
  void countsThePapersModels() {
    for (Map.Entry<Integer, Long> model :
        Map.of(15, 496_066_624L, 24, 2_028_328_000L, 38, 8_056_617_792L).entrySet()) {
      int depth = model.getKey();
      MmditConfig sizes =
          new MmditConfig(depth, 64 * depth, depth, 16, 2, 4096, 2048, 192, false, Set.of());
      assertThat(new BackboneConfig(Backbone.MMDIT, sizes).parameters())
          .isEqualTo(model.getValue());
    }
  }

  @ParameterizedTest
  @EnumSource
  void isReadOffItsTensors(Backbone backbone) {
    for (boolean qkNorm : new boolean[] {false, true}) {
      BackboneConfig config = Sizes.tiny(backbone, qkNorm);
      assertThat(BackboneConfig.of(weights(config), Sizes.CLIP_TOKENS)).isEqualTo(config);
    }
  }

  @Test
  void uvitHasALevelForEachHalving() {
    BackboneConfig config =
        new BackboneConfig(Backbone.UVIT, Sizes.tiny(true, 4), Sizes.CLIP_TOKENS);
    InventedWeights weights = weights(config);
    assertThat(config.parameters()).isEqualTo(weights.parameters());
    assertThat(BackboneConfig.of(weights, Sizes.CLIP_TOKENS)).isEqualTo(config);
    assertThat(weights.names())
        .contains("down_blocks.1.downsamplers.0.conv.weight", "up_blocks.1.resnets.1.conv1.weight")
        .noneMatch(name -> name.startsWith("down_blocks.2"));
  }

  /** With the tensors that begin at zero at zero, the model answers 0. */
  @ParameterizedTest
  @EnumSource
  void beginsAtZero(Backbone backbone) {
    BackboneConfig config = Sizes.tiny(backbone, true);
    InventedWeights weights = weights(config);
    assertThat(weights.names().stream().filter(BackboneConfig::beginsAtZero))
        .hasSizeGreaterThan(2 * config.sizes().depth())
        .allMatch(weights::has);
    for (String name : weights.names()) {
      if (BackboneConfig.beginsAtZero(name)) {
        weights.find(name).orElseThrow().data().fill((byte) 0);
      }
    }
    Graph graph =
        config.model(weights).graph(Sizes.BATCH, Sizes.HEIGHT, Sizes.WIDTH, Sizes.CONTEXT, false);
    assertThat(Sizes.run(graph, Sizes.inputs()).get("velocity").data()).containsOnly(0f);
  }

  @ParameterizedTest
  @EnumSource
  void tapsShowTheTokens(Backbone backbone) {
    BackboneConfig config = Sizes.tiny(backbone, false);
    Graph graph =
        config
            .model(new InventedWeights())
            .graph(Sizes.BATCH, Sizes.HEIGHT, Sizes.WIDTH, Sizes.CONTEXT, true);
    Shape image = Shape.of(Sizes.BATCH, Sizes.HEIGHT * Sizes.WIDTH / 4, config.sizes().width());
    assertThat(graph.outputs().get("block0.image").shape()).isEqualTo(image);
    assertThat(graph.outputs().get("block1.image").shape()).isEqualTo(image);
    boolean changesText = backbone != Backbone.CROSS_DIT && backbone != Backbone.UVIT;
    assertThat(graph.outputs().containsKey("block0.text")).isEqualTo(changesText);
    if (changesText) {
      assertThat(graph.outputs().get("block0.text").shape())
          .isEqualTo(image.with(1, Sizes.CONTEXT));
    }
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Backbone.of("vit"))
        .withMessageContaining("'vit'")
        .withMessageContaining("dit, cross-dit, uvit, mmdit, mmdit-3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BackboneConfig(Backbone.UVIT, Sizes.tiny(true, 1)))
        .withMessageContaining("2 or 4, found 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            Sizes.tiny(Backbone.MMDIT_3, true)
                .model(new InventedWeights())
                .graph(1, 4, 4, Sizes.CLIP_TOKENS, false))
        .withMessageContaining("no T5 tokens");
    MmditConfig dual = new MmditConfig(2, 64, 1, 3, 2, 7, 6, 6, true, Set.of(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BackboneConfig(Backbone.DIT, dual))
        .withMessageContaining("second attention");
  }

  private static InventedWeights weights(BackboneConfig config) {
    InventedWeights weights = new InventedWeights();
    config.model(weights).graph(1, 8, 8, Sizes.CONTEXT, false);
    return weights;
  }

  private static Tensor velocity(BackboneConfig config, Map<String, Tensor> inputs) {
    Graph graph =
        config
            .model(new InventedWeights())
            .graph(Sizes.BATCH, Sizes.HEIGHT, Sizes.WIDTH, Sizes.CONTEXT, false);
    return Sizes.run(graph, inputs).get("velocity");
  }
}
