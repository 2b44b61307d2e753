package org.rectiflow.vae;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.WeightSource;

/**
 * The sizes of an autoencoder. Widths and depth follow from the tensors' shapes; the number of norm
 * groups and the latents' normalisation do not, so they are given.
 *
 * @param latentChannels channels d of the latent, 16 in SD3
 * @param widths channels of each resolution, finest first: 128, 256, 512, 512 in SD3
 * @param layersPerBlock residual blocks per resolution of the encoder; the decoder has one more
 * @param groups groups of every group norm, 32 in SD3
 * @param scalingFactor latents are {@code (z - shiftFactor) * scalingFactor}; 1.5305 in SD3
 * @param shiftFactor 0.0609 in SD3
 */
public record VaeConfig(
    int latentChannels,
    List<Integer> widths,
    int layersPerBlock,
    int groups,
    float scalingFactor,
    float shiftFactor) {

  public static final float SD3_SCALING_FACTOR = 1.5305f;
  public static final float SD3_SHIFT_FACTOR = 0.0609f;
  public static final int SD3_GROUPS = 32;

  public VaeConfig {
    widths = List.copyOf(widths);
    for (int width : widths) {
      if (groups < 1 || width % groups != 0) {
        throw new CheckpointException(
            "the autoencoder's %d channels do not divide into %d norm groups: check norm_num_groups in its config.json"
                .formatted(width, groups));
      }
    }
  }

  /** Reads the sizes off a checkpoint's tensors (diffusers' names). */
  public static VaeConfig of(
      WeightSource weights, int groups, float scalingFactor, float shiftFactor) {
    List<Integer> widths = new ArrayList<>();
    while (weights.has(encoderResnet(widths.size(), 0))) {
      widths.add(weights.require(encoderResnet(widths.size(), 0)).shape().dim(0));
    }
    if (widths.isEmpty()) {
      weights.require(encoderResnet(0, 0));
    }
    int layers = 1;
    while (weights.has(encoderResnet(0, layers))) {
      layers++;
    }
    int latentChannels = weights.require("decoder.conv_in.weight").shape().dim(1);
    return new VaeConfig(latentChannels, widths, layers, groups, scalingFactor, shiftFactor);
  }

  private static String encoderResnet(int level, int layer) {
    return "encoder.down_blocks." + level + ".resnets." + layer + ".conv1.weight";
  }

  /** Pixels per latent pixel and direction: 8 in SD3. */
  public int factor() {
    return 1 << (widths.size() - 1);
  }
}
