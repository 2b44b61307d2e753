package org.rectiflow.trainer.clip;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.ClipFolder;
import org.rectiflow.trainer.transformer.ModelFolder;
import org.rectiflow.training.ContrastiveObjective;
import org.rectiflow.training.InitialValues;

/**
 * Writes an image tower and a text model as transformers' CLIPModel, which {@link ClipFolder}
 * opens.
 */
final class ClipPairFiles {
  private ClipPairFiles() {}

  /**
   * Writes all but the tokenizer's files.
   *
   * @param folder exists
   * @param parameters with both models' trained values and the scale
   */
  static void write(
      Path folder,
      TrainedEncoder text,
      ClipVisionConfig vision,
      WeightSource visionWeights,
      Map<String, Tensor> parameters)
      throws IOException {
    Map<String, Tensor> all = new TreeMap<>();
    add(all, text.trained(parameters));
    add(all, visionWeights);
    all.put(ContrastiveObjective.LOGIT_SCALE, parameters.get(ContrastiveObjective.LOGIT_SCALE));
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architectures", List.of("CLIPModel"));
    config.put("logit_scale_init_value", ContrastiveObjective.INITIAL_LOGIT_SCALE);
    config.put("model_type", "clip");
    config.put("projection_dim", vision.featureWidth());
    config.put("text_config", text.config());
    config.put("vision_config", config(vision));
    ModelFolder.writeEncoder(
        folder.getParent(),
        folder.getFileName().toString(),
        InitialValues.given(folder.toString(), all),
        config);
    ModelFolder.writeJson(folder.resolve("preprocessor_config.json"), preprocessor(vision));
  }

  private static void add(Map<String, Tensor> all, WeightSource weights) {
    for (String name : weights.names()) {
      Weight weight = weights.require(name);
      all.put(name, new Tensor(weight.shape(), weight.toFloats()));
    }
  }

  private static Map<String, Object> config(ClipVisionConfig c) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("hidden_act", c.activation() == Activation.QUICK_GELU ? "quick_gelu" : "gelu");
    json.put("hidden_size", c.width());
    json.put("image_size", c.imageSize());
    json.put("intermediate_size", c.mlpWidth());
    json.put("layer_norm_eps", Double.parseDouble(Float.toString(c.eps())));
    json.put("model_type", "clip_vision_model");
    json.put("num_attention_heads", c.heads());
    json.put("num_channels", 3);
    json.put("num_hidden_layers", c.layers());
    json.put("patch_size", c.patchSize());
    json.put("projection_dim", c.featureWidth());
    return json;
  }

  private static Map<String, Object> preprocessor(ClipVisionConfig c) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("crop_size", Map.of("height", c.imageSize(), "width", c.imageSize()));
    json.put("do_center_crop", true);
    json.put("do_normalize", true);
    json.put("do_rescale", true);
    json.put("do_resize", true);
    json.put("image_mean", c.pixels().mean());
    json.put("image_processor_type", "CLIPImageProcessor");
    json.put("image_std", c.pixels().deviation());
    json.put("resample", 3);
    json.put("rescale_factor", 1.0 / 255);
    json.put("size", Map.of("shortest_edge", c.imageSize()));
    return json;
  }
}
