package org.rectiflow.trainer.data;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.LatentSpace;

/**
 * All examples of a data set, encoded once and held in memory; equal captions once. Pictures and
 * captions go through the networks in groups of fixed size, so that the same data give the same
 * bits.
 */
public final class Encodings implements EncodedData {
  private static final int GROUP = CaptionGroup.SIZE;

  private final List<Tensor> latents = new ArrayList<>();
  private final List<String> captions = new ArrayList<>();
  private final Map<String, PromptEmbedding> prompts = new HashMap<>();

  private Encodings() {}

  /**
   * Encodes a data set.
   *
   * @param side the pictures' width and height
   * @throws UserException if a picture has another size
   */
  public static Encodings of(
      Dataset data,
      int side,
      Autoencoder vae,
      PromptEncoder encoders,
      Backend backend,
      Progress progress) {
    Encodings encodings = new Encodings();
    Progress.Phase phase = progress.begin("encoding pictures", data.size());
    try (Executable encoder = backend.compile("vae encoder", vae.encoder(GROUP, side, side))) {
      for (int from = 0; from < data.size(); from += GROUP) {
        int count = Math.min(GROUP, data.size() - from);
        List<PixelImage> pictures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          Example example = PixelBatch.example(data, from + i);
          encodings.captions.add(example.caption());
          pictures.add(Pixels.of(example, side));
          phase.step();
        }
        Tensor pixels = Pixels.tensor(pictures, GROUP);
        Tensor mean = encoder.run(Map.of("pixels", Feed.of(pixels))).get("mean");
        Tensor all = LatentSpace.normalise(mean, vae.config());
        for (int i = 0; i < count; i++) {
          encodings.latents.add(all.row(i));
        }
      }
    }
    Set<String> distinct = new LinkedHashSet<>(encodings.captions);
    Progress.Phase texts = progress.begin("encoding captions", distinct.size());
    encodings.prompts.putAll(CaptionGroup.embed(encoders, distinct, texts));
    return encodings;
  }

  @Override
  public int size() {
    return latents.size();
  }

  @Override
  public Encoded get(int index) {
    String caption = captions.get(index);
    return new Encoded(latents.get(index), prompts.get(caption), caption);
  }
}
