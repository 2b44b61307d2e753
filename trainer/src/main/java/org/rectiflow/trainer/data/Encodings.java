package org.rectiflow.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
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
  private final Map<String, PromptEmbedding> prompts = new LinkedHashMap<>();

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
        Tensor pixels = Tensor.zeros(Shape.of(GROUP, 3, side, side));
        for (int i = 0; i < count; i++) {
          Example example = example(data, from + i);
          encodings.captions.add(example.caption());
          place(example, side, pixels, i);
          phase.step();
        }
        Tensor mean = encoder.run(Map.of("pixels", Feed.of(pixels))).get("mean");
        encodings.addLatents(LatentSpace.normalise(mean, vae.config()), count);
      }
    }
    encodings.encodeCaptions(encoders, progress);
    return encodings;
  }

  private static Example example(Dataset data, int index) {
    try {
      return data.get(index);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Levels 0 to 1 become -1 to 1. */
  private static void place(Example example, int side, Tensor pixels, int at) {
    PixelImage picture = example.picture();
    if (picture.width() != side || picture.height() != side) {
      throw new UserException(
          "the picture of example %s is %dx%d, the run trains on %dx%d: correct data.size"
              .formatted(example.id(), picture.width(), picture.height(), side, side));
    }
    float[] from = picture.data();
    for (int i = 0; i < from.length; i++) {
      pixels.data()[at * from.length + i] = 2 * from[i] - 1;
    }
  }

  private void addLatents(Tensor all, int count) {
    Shape one = all.shape().with(0, 1);
    int n = Math.toIntExact(one.count());
    for (int i = 0; i < count; i++) {
      latents.add(new Tensor(one, java.util.Arrays.copyOfRange(all.data(), i * n, (i + 1) * n)));
    }
  }

  private void encodeCaptions(PromptEncoder encoders, Progress progress) {
    List<String> distinct = captions.stream().distinct().toList();
    Progress.Phase phase = progress.begin("encoding captions", distinct.size());
    for (int from = 0; from < distinct.size(); from += GROUP) {
      List<String> group = distinct.subList(from, Math.min(distinct.size(), from + GROUP));
      var encoded = CaptionGroup.encode(encoders, group);
      for (int i = 0; i < group.size(); i++) {
        prompts.put(group.get(i), encoded.get(i).embedding());
        phase.step();
      }
    }
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
