package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;

class ConfigTest {
  private static final Path TINY = Path.of("../testdata/models/tiny-sd3");

  @TempDir private Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../testdata/models/shapes",
        "../testdata/models/tiny-sd3",
        "../testdata/models/tiny-sd35m"
      })
  void tensorsSayWhatTheConfigurationSays(Path folder) {
    try (TestModel model = new TestModel(folder)) {
      assertThat(ClipConfig.of(model.weights("text_encoder"), Activation.QUICK_GELU))
          .isEqualTo(model.clip("text_encoder").config());
      assertThat(ClipConfig.of(model.weights("text_encoder_2"), Activation.GELU_ERF))
          .isEqualTo(model.clip("text_encoder_2").config());
      assertThat(T5Config.of(model.weights("text_encoder_3"))).isEqualTo(model.t5().config());
    }
  }

  @Test
  void withoutAProjectionThePooledOutputIsAsWideAsTheModel() {
    try (TestModel model = new TestModel(TINY)) {
      EditedWeights weights =
          EditedWeights.of(model.weights("text_encoder")).without("text_projection.weight");
      ClipConfig config = ClipConfig.of(weights, Activation.QUICK_GELU);
      assertThat(config.projected()).isFalse();
      assertThat(config.pooledWidth()).isEqualTo(config.width());
    }
  }

  @Test
  void tensorsThatDecideASizeHaveToBeThereAndRight() {
    try (TestModel model = new TestModel(TINY)) {
      EditedWeights clip = EditedWeights.of(model.weights("text_encoder"));
      String table = "text_model.embeddings.token_embedding.weight";
      clip.with(table, Weight.of(table, Tensor.of(new float[65], 65)));
      refuses(() -> ClipConfig.of(clip, Activation.GELU_ERF), table, "[65]", "two dimensions");
      clip.with(table, Weight.of(table, Tensor.of(new float[65], 1, 65)));
      refuses(() -> ClipConfig.of(clip, Activation.GELU_ERF), table, "multiple of 64");
      clip.without(table);
      refuses(() -> ClipConfig.of(clip, Activation.GELU_ERF), table, "no tensor");

      EditedWeights t5 = EditedWeights.of(model.weights("text_encoder_3"));
      String bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
      t5.with(bias, Weight.of(bias, Tensor.of(new float[96], 32, 3)));
      refuses(() -> T5Config.of(t5), "SelfAttention.q.weight", "3 heads");
    }
  }

  @Test
  void aConfigurationThatCannotBeUsedIsRefused() throws IOException {
    Path clip = temp.resolve("config.json");
    refuses(() -> ClipConfig.read(clip), clip.toString(), "missing", "Copy");
    Files.writeString(clip, "{\"hidden_act\": ");
    refuses(() -> ClipConfig.read(clip), clip.toString(), "not valid JSON");
    Files.writeString(clip, "3");
    refuses(() -> ClipConfig.read(clip), clip.toString(), "not a JSON object");
    change("text_encoder", c -> c.put("hidden_act", "relu"));
    refuses(() -> ClipConfig.read(clip), "hidden_act", "\"relu\"", "quick_gelu");
    change("text_encoder", c -> c.remove("num_attention_heads"));
    refuses(() -> ClipConfig.read(clip), "num_attention_heads", "missing");
    change("text_encoder", c -> c.put("num_attention_heads", 3));
    refuses(() -> ClipConfig.read(clip), "width 128", "3 attention heads");
    change("text_encoder", c -> c.put("hidden_size", "128"));
    refuses(() -> ClipConfig.read(clip), "hidden_size", "positive integer");
    change("text_encoder", c -> c.put("layer_norm_eps", -1.0));
    refuses(() -> ClipConfig.read(clip), "layer_norm_eps", "positive number");
    change("text_encoder_3", c -> c.put("feed_forward_proj", "relu"));
    refuses(() -> T5Config.read(clip), "feed_forward_proj", "gated-gelu");
  }

  @Test
  void entriesWithOneCommonValueMayBeAbsent() throws IOException {
    change("text_encoder", c -> c.remove("layer_norm_eps"));
    assertThat(ClipConfig.read(temp.resolve("config.json")).eps()).isEqualTo(1e-5f);
    change(
        "text_encoder_3",
        c -> {
          c.remove("relative_attention_max_distance");
          c.remove("relative_attention_num_buckets");
        });
    T5Config t5 = T5Config.read(temp.resolve("config.json"));
    assertThat(t5.maxDistance()).isEqualTo(128);
    assertThat(t5.buckets()).isEqualTo(32);
  }

  private void change(String part, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode config =
        (ObjectNode) mapper.readTree(TINY.resolve(part).resolve("config.json").toFile());
    change.accept(config);
    mapper.writeValue(temp.resolve("config.json").toFile(), config);
  }

  private static void refuses(ThrowingCallable call, String... parts) {
    assertThatThrownBy(call).isInstanceOf(CheckpointException.class).hasMessageContainingAll(parts);
  }
}
