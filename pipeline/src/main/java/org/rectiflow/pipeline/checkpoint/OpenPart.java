package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.function.Supplier;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.vae.VaeConfig;

/**
 * A part of a checkpoint with its configuration. Shapes decide sizes; what they cannot tell comes
 * from a configuration if there is one, and else is what it is in the released models: attention
 * heads of 64 channels, quick_gelu in CLIP-L and gelu in CLIP-G, the scale and shift of SD3's
 * latents, and as many norm groups as {@link #groups} says.
 */
public final class OpenPart {
  private final StoredPart stored;
  private final WeightSource weights;
  private final Supplier<Optional<ConfigJson>> config;

  /**
   * @param config asked when it is needed; may throw when a layout must have it and it is missing
   */
  OpenPart(StoredPart stored, Supplier<Optional<ConfigJson>> config) {
    this.stored = stored;
    this.weights = stored.weights();
    this.config = config;
  }

  /** The tensors as they are stored. */
  public StoredPart stored() {
    return stored;
  }

  /** The tensors under diffusers' names. */
  public WeightSource weights() {
    return weights;
  }

  /** What the layout says besides tensors. */
  public Optional<ConfigJson> config() {
    return config.get();
  }

  public VaeConfig vaeConfig() {
    Optional<ConfigJson> found = config.get();
    if (found.isEmpty()) {
      return vaeFromShapes(weights);
    }
    ConfigJson c = found.get();
    JsonNode json = c.json();
    if (json.path("use_quant_conv").asBoolean() || json.path("use_post_quant_conv").asBoolean()) {
      throw new CheckpointException(
          c.origin() + ": this autoencoder has quantisation convolutions; SD3's has none");
    }
    return VaeConfig.of(
        weights,
        json.path("norm_num_groups").asInt(VaeConfig.SD3_GROUPS),
        number(c, "scaling_factor"),
        number(c, "shift_factor"));
  }

  private static float number(ConfigJson config, String key) {
    JsonNode value = config.json().path(key);
    if (!value.isNumber()) {
      throw new CheckpointException(
          "%s: %s must be a number, found %s. Copy the file again from the model's repository."
              .formatted(config.origin(), key, value.isMissingNode() ? "no such key" : value));
    }
    return (float) value.doubleValue();
  }

  /** The sizes of an autoencoder that nothing but its tensors describes. */
  public static VaeConfig vaeFromShapes(WeightSource weights) {
    float scale = VaeConfig.SD3_SCALING_FACTOR;
    float shift = VaeConfig.SD3_SHIFT_FACTOR;
    VaeConfig sizes = VaeConfig.of(weights, 1, scale, shift);
    return VaeConfig.of(weights, groups(sizes), scale, shift);
  }

  /**
   * The norm groups of an autoencoder, which its shapes do not tell: the largest power of two up to
   * SD3's 32 that divides every width and leaves at least two channels a group.
   */
  private static int groups(VaeConfig sizes) {
    int groups = VaeConfig.SD3_GROUPS;
    while (groups > 1 && !divides(groups, sizes)) {
      groups /= 2;
    }
    return groups;
  }

  private static boolean divides(int groups, VaeConfig sizes) {
    return sizes.widths().stream().allMatch(w -> w % groups == 0 && w / groups >= 2);
  }

  public ClipConfig clipConfig() {
    return config
        .get()
        .map(c -> ClipConfig.read(c.origin(), c.json()))
        .orElseGet(() -> clipFromShapes(stored.part(), weights));
  }

  /** The sizes of a CLIP that nothing but its tensors describes. */
  public static ClipConfig clipFromShapes(Part clip, WeightSource weights) {
    return ClipConfig.of(
        weights, clip == Part.CLIP_L ? Activation.QUICK_GELU : Activation.GELU_ERF);
  }

  public T5Config t5Config() {
    return config
        .get()
        .map(c -> T5Config.read(c.origin(), c.json()))
        .orElseGet(() -> T5Config.of(weights));
  }
}
