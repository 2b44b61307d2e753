package org.rectiflow.pipeline.convert;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.engine.Activation;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.DType;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.vae.VaeConfig;

/**
 * The configurations of a model in diffusers' layout, written from sizes: what diffusers 0.40 and
 * transformers 5 need to open the folder.
 */
public final class DiffusersConfigs {
  private DiffusersConfigs() {}

  /** {@code model_index.json}, with null for the parts that are not there. */
  public static Map<String, Object> modelIndex(Iterable<Part> parts) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "StableDiffusion3Pipeline");
    List<Object> none = Collections.nCopies(2, null);
    json.put("feature_extractor", none);
    json.put("image_encoder", none);
    json.put("scheduler", List.of("diffusers", "FlowMatchEulerDiscreteScheduler"));
    for (Part part : Part.values()) {
      json.put(part.folder(), none);
      if (part.isEncoder()) {
        json.put(part.tokenizerFolder(), none);
      }
    }
    for (Part part : parts) {
      switch (part) {
        case TRANSFORMER -> json.put("transformer", List.of("diffusers", "SD3Transformer2DModel"));
        case VAE -> json.put("vae", List.of("diffusers", "AutoencoderKL"));
        case CLIP_L, CLIP_G -> {
          json.put(part.folder(), List.of("transformers", "CLIPTextModelWithProjection"));
          json.put(part.tokenizerFolder(), List.of("transformers", "CLIPTokenizer"));
        }
        case T5 -> {
          json.put(part.folder(), List.of("transformers", "T5EncoderModel"));
          json.put(part.tokenizerFolder(), List.of("transformers", "T5TokenizerFast"));
        }
      }
    }
    return json;
  }

  /**
   * The transformer's.
   *
   * @param sampleSize side of the latent it was trained on
   */
  public static Map<String, Object> transformer(MmditConfig c, int sampleSize) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "SD3Transformer2DModel");
    json.put("attention_head_dim", MmditConfig.HEAD_SIZE);
    json.put("caption_projection_dim", c.width());
    json.put("dual_attention_layers", c.dualAttentionBlocks().stream().sorted().toList());
    json.put("in_channels", c.latentChannels());
    json.put("joint_attention_dim", c.contextWidth());
    json.put("num_attention_heads", c.heads());
    json.put("num_layers", c.depth());
    json.put("out_channels", c.latentChannels());
    json.put("patch_size", c.patchSize());
    json.put("pooled_projection_dim", c.pooledWidth());
    json.put("pos_embed_max_size", c.positionTableSize());
    json.put("qk_norm", c.qkNorm() ? "rms_norm" : null);
    json.put("sample_size", sampleSize);
    return json;
  }

  /** The autoencoder's. */
  public static Map<String, Object> vae(VaeConfig c) {
    Map<String, Object> json = new LinkedHashMap<>();
    int levels = c.widths().size();
    json.put("_class_name", "AutoencoderKL");
    json.put("act_fn", "silu");
    json.put("block_out_channels", c.widths());
    json.put("down_block_types", Collections.nCopies(levels, "DownEncoderBlock2D"));
    json.put("force_upcast", true);
    json.put("in_channels", 3);
    json.put("latent_channels", c.latentChannels());
    json.put("layers_per_block", c.layersPerBlock());
    json.put("norm_num_groups", c.groups());
    json.put("out_channels", 3);
    json.put("scaling_factor", decimal(c.scalingFactor()));
    json.put("shift_factor", decimal(c.shiftFactor()));
    json.put("up_block_types", Collections.nCopies(levels, "UpDecoderBlock2D"));
    json.put("use_post_quant_conv", false);
    json.put("use_quant_conv", false);
    return json;
  }

  /** CLIP-L's or CLIP-G's. */
  public static Map<String, Object> clip(Part part, ClipConfig c) {
    int end = c.vocabulary() - 1;
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("architectures", List.of("CLIPTextModelWithProjection"));
    json.put("bos_token_id", end - 1);
    json.put("eos_token_id", end);
    json.put("hidden_act", c.activation() == Activation.QUICK_GELU ? "quick_gelu" : "gelu");
    json.put("hidden_size", c.width());
    json.put("intermediate_size", c.mlpWidth());
    json.put("layer_norm_eps", decimal(c.eps()));
    json.put("max_position_embeddings", c.positions());
    json.put("model_type", "clip_text_model");
    json.put("num_attention_heads", c.heads());
    json.put("num_hidden_layers", c.layers());
    json.put("pad_token_id", part == Part.CLIP_L ? end : 0);
    json.put("projection_dim", c.pooledWidth());
    json.put("vocab_size", c.vocabulary());
    return json;
  }

  /** T5's. */
  public static Map<String, Object> t5(T5Config c) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("architectures", List.of("T5EncoderModel"));
    json.put("d_ff", c.mlpWidth());
    json.put("d_kv", c.headSize());
    json.put("d_model", c.width());
    json.put("decoder_start_token_id", 0);
    json.put("eos_token_id", 1);
    json.put("feed_forward_proj", "gated-gelu");
    json.put("is_encoder_decoder", false);
    json.put("layer_norm_epsilon", decimal(c.eps()));
    json.put("model_type", "t5");
    json.put("num_heads", c.heads());
    json.put("num_layers", c.blocks());
    json.put("pad_token_id", 0);
    json.put("relative_attention_max_distance", c.maxDistance());
    json.put("relative_attention_num_buckets", c.buckets());
    json.put("vocab_size", c.vocabulary());
    return json;
  }

  /** The scheduler's. */
  public static Map<String, Object> scheduler(FlowMatchConfig c) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "FlowMatchEulerDiscreteScheduler");
    json.put("num_train_timesteps", c.numTrainTimesteps());
    json.put("shift", c.shift());
    return json;
  }

  /** The shortest decimal that means this float: 0.0609, not 0.060899998992681503. */
  private static double decimal(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  /** A configuration that says which type its weights are stored in, corrected. */
  static String withDtype(JsonNode json, DType dtype) {
    ObjectNode changed = json.deepCopy();
    for (String key : List.of("dtype", "torch_dtype")) {
      if (changed.has(key)) {
        changed.put(key, torchName(dtype));
      }
    }
    return Json.pretty(changed);
  }

  private static String torchName(DType dtype) {
    return switch (dtype) {
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      case F32 -> "float32";
      case F8_E4M3 -> "float8_e4m3fn";
      case F8_E5M2 -> "float8_e5m2";
      default -> dtype.name().toLowerCase(Locale.ROOT);
    };
  }
}
