package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.encoders.PixelNorm;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

class EncoderRulesTest {
  private static final ClipConfig TEXT =
      new ClipConfig(100, 20, 64, 3, 2, 128, Activation.QUICK_GELU, 1e-5f, 32, true);
  private static final ClipVisionConfig VISION =
      new ClipVisionConfig(
          32, 8, 64, 3, 2, 128, Activation.QUICK_GELU, 1e-5f, 32, PixelNorm.SYMMETRIC);
  private static final T5Config T5 = new T5Config(100, 48, 2, 2, 40, 96, 32, 128, 1e-6f);

  private static double deviation(InitialRule rule, String name, int... dims) {
    float[] values = new InitialValues(rule, 1, Map.of()).require(name, dims).toFloats();
    double squares = 0;
    for (float v : values) {
      squares += v * v;
    }
    return Math.sqrt(squares / values.length);
  }

  /** The numbers in transformers' CLIPPreTrainedModel. */
  @Test
  void clipHasTransformersDeviations() {
    String layer = "text_model.encoder.layers.0.";
    InitialRule text = EncoderRules.clipText(TEXT);
    assertThat(deviation(text, "text_model.embeddings.token_embedding.weight", 100, 64))
        .isCloseTo(0.02, within(0.001));
    assertThat(deviation(text, layer + "self_attn.q_proj.weight", 64, 64))
        .isCloseTo(0.125 / Math.sqrt(6), within(0.002));
    assertThat(deviation(text, layer + "self_attn.out_proj.weight", 64, 64))
        .isCloseTo(0.125, within(0.005));
    assertThat(deviation(text, layer + "mlp.fc1.weight", 128, 64))
        .isCloseTo(1 / Math.sqrt(128), within(0.003));
    assertThat(deviation(text, layer + "mlp.fc2.weight", 64, 128))
        .isCloseTo(0.125 / Math.sqrt(6), within(0.002));
    assertThat(deviation(text, layer + "mlp.fc2.bias", 64)).isZero();
    assertThat(deviation(text, layer + "layer_norm1.weight", 64)).isEqualTo(1);
    assertThat(deviation(text, "text_projection.weight", 32, 64)).isCloseTo(0.125, within(0.005));
    InitialRule vision = EncoderRules.clipVision(VISION);
    assertThat(deviation(vision, "vision_model.embeddings.patch_embedding.weight", 64, 3, 8, 8))
        .isCloseTo(0.02, within(0.001));
    assertThat(deviation(vision, "vision_model.pre_layrnorm.bias", 64)).isZero();
    assertThatThrownBy(() -> deviation(vision, "vision_model.head.weight", 64, 64))
        .hasMessage("no initial values are known for vision_model.head.weight");
  }

  /** The numbers in transformers' T5PreTrainedModel. */
  @Test
  void t5HasTransformersDeviations() {
    InitialRule t5 = EncoderRules.t5(T5);
    String attention = "encoder.block.0.layer.0.SelfAttention.";
    assertThat(deviation(t5, "shared.weight", 100, 48)).isCloseTo(1, within(0.03));
    assertThat(deviation(t5, attention + "q.weight", 80, 48))
        .isCloseTo(1 / Math.sqrt(48 * 40), within(0.001));
    assertThat(deviation(t5, attention + "k.weight", 80, 48))
        .isCloseTo(1 / Math.sqrt(48), within(0.005));
    assertThat(deviation(t5, attention + "o.weight", 48, 80))
        .isCloseTo(1 / Math.sqrt(80), within(0.005));
    assertThat(deviation(t5, "encoder.block.0.layer.0.layer_norm.weight", 48)).isEqualTo(1);
    assertThat(deviation(t5, "encoder.block.0.layer.1.DenseReluDense.wo.weight", 48, 96))
        .isCloseTo(1 / Math.sqrt(96), within(0.004));
  }

  @Test
  void convolutionsAndTheirBiasesAreUniformAsInTorch() {
    InitialValues weights = new InitialValues(InitialRule.torch(_ -> false), 1, Map.of());
    float bound = (float) (1 / Math.sqrt(16 * 9));
    float[] conv = weights.require("conv.weight", 8, 16, 3, 3).toFloats();
    float[] bias = weights.require("conv.bias", 8).toFloats();
    assertThat(largest(conv)).isBetween(0.95f * bound, bound);
    assertThat(largest(bias)).isBetween(0.3f * bound, bound);
    assertThat(weights.require("norm.weight", 8).toFloats()).containsOnly(1);
    assertThat(weights.require("norm.bias", 8).toFloats()).containsOnly(0);
  }

  private static float largest(float[] values) {
    float largest = 0;
    for (float v : values) {
      largest = Math.max(largest, Math.abs(v));
    }
    return largest;
  }

  @Test
  void valuesDependOnSeedAndNameOnly() {
    WeightSource first = new InitialValues(InitialRule.torch(_ -> false), 1, Map.of());
    WeightSource second = new InitialValues(InitialRule.torch(_ -> false), 1, Map.of());
    float[] a = first.require("a.weight", 4, 4).toFloats();
    first.require("b.weight", 4, 4);
    second.require("b.weight", 4, 4);
    assertThat(second.require("a.weight", 4, 4).toFloats()).containsExactly(a);
    assertThat(second.require("b.weight", 4, 4).toFloats()).isNotEqualTo(a);
    assertThat(
            new InitialValues(InitialRule.torch(_ -> false), 2, Map.of())
                .require("a.weight", 4, 4)
                .toFloats())
        .isNotEqualTo(a);
    assertThatThrownBy(() -> first.require("a.weight", 2, 8)).hasMessageContaining("[4, 4]");
  }

  /** Encoder and decoder, asked for one after the other, fit one checkpoint. */
  @Test
  void aWholeAutoencoderIsMade() {
    InitialValues weights = new InitialValues(InitialRule.torch(_ -> false), 1, Map.of());
    Autoencoder model = new Autoencoder(new VaeConfig(4, List.of(8, 8), 1, 4, 1, 0), weights);
    model.encoder(1, 16, 16);
    model.decoder(1, 8, 8);

    assertThat(VaeConfig.of(weights, 4, 1, 0)).isEqualTo(model.config());
    assertThat(weights.names()).contains("encoder.conv_in.weight", "decoder.conv_out.bias");
  }
}
