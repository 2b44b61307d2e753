package org.rectiflow.trainer.clip;

import java.util.List;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;

/** The keys of run files that train text encoders together with an image tower. */
public final class ClipKeys {
  /** What stands in {@link #ENCODERS} for CLIP-L. */
  static final String CLIP_L = "clip_l";

  static final String CLIP_G = "clip_g";
  static final String T5 = "t5";

  public static final Key<String> BASE =
      Key.of(
          "model.base",
          Kind.text(),
          "",
          "Folder in diffusers' layout whose text encoders have the sizes that are trained, from nothing, and whose tokenizers are used; its autoencoder stands beside the trained encoders in the checkpoints, so that these can be the base of further runs. Empty: the bundled shapes model.");

  public static final Key<List<String>> ENCODERS =
      Key.of(
          "encoders.train",
          Kind.listOf(Kind.oneOf(List.of(CLIP_L, CLIP_G, T5))),
          List.of(CLIP_L),
          "The text encoders that are trained, clip_l always among them. Each is paired with the same pictures; T5 by the mean of its states and a projection of its own.");

  public static final Key<Long> T5_TOKENS =
      Key.of(
          "encoders.t5_tokens",
          Kind.whole(1, 4096),
          77L,
          "Length of T5's texts, if its tokenizer allows as many.");

  public static final Key<Long> PATCH =
      Key.of("vision.patch_size", Kind.whole(1, 1024), 8L, "Pixels a side of an image token.");

  public static final Key<Long> WIDTH =
      Key.of(
          "vision.width",
          Kind.whole(64, 1 << 14),
          128L,
          "Channels of the image tower, a multiple of 64.");

  public static final Key<Long> LAYERS =
      Key.of("vision.layers", Kind.whole(1, 1000), 4L, "Layers of the image tower.");

  public static final Key<Long> VALIDATION_SAMPLES =
      Key.of(
          "validation.samples",
          Kind.whole(1, 1 << 20),
          512L,
          "Held-out pairs; at least one batch. The loss is that of whole batches.");

  public static final Key<Long> PICTURES =
      Key.of(
          "samples.pictures",
          Kind.whole(1, 64),
          10L,
          "Held-out pictures whose cosines with each other's captions are drawn.");

  /** All of them. */
  static final List<Key<?>> ALL =
      List.of(BASE, ENCODERS, T5_TOKENS, PATCH, WIDTH, LAYERS, VALIDATION_SAMPLES, PICTURES);

  private ClipKeys() {}
}
