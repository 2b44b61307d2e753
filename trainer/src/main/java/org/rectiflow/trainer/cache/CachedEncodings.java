package org.rectiflow.trainer.cache;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.vae.LatentSpace;
import org.rectiflow.vae.VaeConfig;

/**
 * The examples of a data set, read from an {@link EncodingCache}, each encoder's part by itself.
 */
public final class CachedEncodings implements EncodedData {
  private final TensorCache cache;
  private final VaeConfig vae;
  private final PromptEmbedding.Layout layout;
  private final List<String> captions;
  private final List<String> latents;
  private final Map<Part, List<String>> texts;

  /**
   * @param latents the key of each example's latent
   * @param texts the keys of each example's caption, by encoder
   */
  CachedEncodings(
      TensorCache cache,
      VaeConfig vae,
      PromptEmbedding.Layout layout,
      List<String> captions,
      List<String> latents,
      Map<Part, List<String>> texts) {
    this.cache = cache;
    this.vae = vae;
    this.layout = layout;
    this.captions = List.copyOf(captions);
    this.latents = List.copyOf(latents);
    this.texts = new EnumMap<>(texts);
  }

  /** Where a key's latent lies; its logarithm of the variance is kept beside it. */
  static String mean(String key) {
    return key + ".mean";
  }

  static String logvar(String key) {
    return key + ".logvar";
  }

  static String hidden(String key) {
    return key + ".hidden";
  }

  static String pooled(String key) {
    return key + ".pooled";
  }

  @Override
  public int size() {
    return latents.size();
  }

  @Override
  public Encoded get(int index) {
    PromptEmbedding prompt =
        PromptEmbedding.assemble(
            layout,
            Optional.of(clip(Part.CLIP_L, index)),
            Optional.of(clip(Part.CLIP_G, index)),
            Optional.of(cache.read(hidden(texts.get(Part.T5).get(index)))));
    Tensor mean = cache.read(mean(latents.get(index)));
    return new Encoded(LatentSpace.normalise(mean, vae), prompt, captions.get(index));
  }

  private ClipOutput clip(Part part, int index) {
    String key = texts.get(part).get(index);
    return new ClipOutput(cache.read(hidden(key)), cache.read(pooled(key)));
  }

  @Override
  public void close() {
    cache.close();
  }
}
