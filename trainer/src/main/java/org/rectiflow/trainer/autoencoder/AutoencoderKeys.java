package org.rectiflow.trainer.autoencoder;

import java.util.List;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;

/** The keys of run files that train an autoencoder. */
public final class AutoencoderKeys {
  public static final Key<String> BASE =
      Key.of(
          "model.base",
          Kind.text(),
          "",
          "Folder in diffusers' layout whose text encoders and tokenizers are put beside the autoencoder in the checkpoints, so that these can be the base of further runs. Empty: the bundled shapes model.");

  public static final Key<String> FROM =
      Key.of(
          "model.from",
          Kind.text(),
          "",
          "A model whose autoencoder the run begins with; its sizes are then the model's. Empty: from nothing.");

  public static final Key<Long> CHANNELS =
      Key.of(
          "model.latent_channels",
          Kind.whole(1, 64),
          16L,
          "Channels of the latent. The paper compares 4, 8 and 16 (Table 3).");

  public static final Key<List<Long>> WIDTHS =
      Key.of(
          "model.widths",
          Kind.listOf(Kind.whole(1, 4096)),
          List.of(16L, 32L, 32L, 64L),
          "Channels at each resolution, finest first; each further one halves the picture. SD3: 128, 256, 512, 512.");

  public static final Key<Long> LAYERS =
      Key.of(
          "model.layers_per_block",
          Kind.whole(1, 16),
          1L,
          "Residual blocks at each resolution of the encoder; the decoder has one more. SD3: 2.");

  public static final Key<Long> GROUPS =
      Key.of("model.groups", Kind.whole(1, 4096), 8L, "Groups of the group norms. SD3: 32.");

  public static final Key<Double> DIVERGENCE =
      Key.of(
          "loss.divergence",
          Kind.number(0, 1e3),
          1e-4,
          "Weight of the posterior's divergence from the normal distribution, averaged over the latent's elements; the mean absolute error of the pixels has weight 1.");

  public static final Key<Double> PERCEPTUAL =
      Key.of(
          "loss.perceptual",
          Kind.number(0, 1e3),
          0.0,
          "Weight of the perceptual term: the distance of pictures in the features of loss.perceptual_network. 0: none.");

  public static final Key<String> PERCEPTUAL_NETWORK =
      Key.of(
          "loss.perceptual_network",
          Kind.text(),
          "",
          "Folder of a CLIP pair (transformers' CLIPModel), as runs of task = \"clip\" write it in their checkpoints; its image model stays as it is.");

  public static final Key<Long> VALIDATION_SAMPLES =
      Key.of(
          "validation.samples",
          Kind.whole(1, 1 << 20),
          256L,
          "Held-out pictures that are reconstructed.");

  public static final Key<Long> LATENT_SAMPLES =
      Key.of(
          "latents.samples",
          Kind.whole(2, 1 << 24),
          1024L,
          "Training pictures whose latents' mean and deviation become shift_factor and scaling_factor (Appendix B.2).");

  public static final Key<Long> PICTURES =
      Key.of(
          "samples.pictures",
          Kind.whole(1, 64),
          8L,
          "Held-out pictures shown above their reconstructions.");

  /** All of them. */
  static final List<Key<?>> ALL =
      List.of(
          BASE,
          FROM,
          CHANNELS,
          WIDTHS,
          LAYERS,
          GROUPS,
          DIVERGENCE,
          PERCEPTUAL,
          PERCEPTUAL_NETWORK,
          VALIDATION_SAMPLES,
          LATENT_SAMPLES,
          PICTURES);

  private AutoencoderKeys() {}
}
