package org.rectiflow.trainer.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.evaluation.PreEncoding;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.WeightHash;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.data.CaptionGroup;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.LatentSpace;

/**
 * The examples of a data set, encoded once and kept in a folder (paper, Appendix E.1). A latent is
 * found by the picture's pixels and the autoencoder's weights; an encoder's outputs by the caption
 * and that encoder's weights, each encoder by itself, so that each can be dropped by itself. So a
 * caption cannot meet another's latent, whatever is done to the data, and what was encoded before
 * the process was killed is not encoded again. The values are those of encoding without a cache,
 * bit for bit.
 */
public final class CachedEncodings implements EncodedData {
  /** Pictures that go through the autoencoder together; always as many, so the same bits. */
  private static final int GROUP = CaptionGroup.SIZE;

  /** Groups in one shard: what is lost at most when the process is killed. */
  private static final int GROUPS = 8;

  private static final List<Part> ENCODERS = List.of(Part.CLIP_L, Part.CLIP_G, Part.T5);

  private final TensorCache cache;
  private final Autoencoder vae;
  private final PromptEmbedding.Layout layout;
  private final List<String> latents = new ArrayList<>();
  private final List<String> captions = new ArrayList<>();
  private final Map<Part, String> hashes = new LinkedHashMap<>();
  private final List<EncodingCost> costs = new ArrayList<>();

  private CachedEncodings(TensorCache cache, Autoencoder vae, PromptEmbedding.Layout layout) {
    this.cache = cache;
    this.vae = vae;
    this.layout = layout;
  }

  /**
   * Encodes what the folder does not have yet, and writes {@code costs.csv} beside it.
   *
   * @param data examples of {@code side} x {@code side} pixels
   * @param base the model whose autoencoder and text encoders are used
   * @param pipeline of the same model
   * @param t5Tokens T5's length at most
   * @throws UserException if a picture has another size, or the folder cannot be used
   */
  public static CachedEncodings of(
      Path folder,
      Dataset data,
      int side,
      Checkpoint base,
      TextToImage pipeline,
      int t5Tokens,
      Backend backend,
      Progress progress) {
    Autoencoder vae = new Autoencoder(pipeline.vaeConfig(), base.require(Part.VAE));
    PromptEmbedding.Layout layout;
    try (PromptEncoder all = pipeline.encoders(t5Tokens, Set.of())) {
      layout = all.layout();
    }
    TensorCache cache = TensorCache.open(folder);
    CachedEncodings encodings = new CachedEncodings(cache, vae, layout);
    try {
      encodings.hashes.put(Part.VAE, WeightHash.of(base.files(Part.VAE)));
      encodings.encodePictures(data, side, base, backend, progress);
      for (Part part : ENCODERS) {
        encodings.hashes.put(part, WeightHash.of(base.files(part)));
        Set<Part> others = ENCODERS.stream().filter(p -> p != part).collect(Collectors.toSet());
        try (PromptEncoder encoder = pipeline.encoders(t5Tokens, others)) {
          encodings.encodeCaptions(part, encoder, base.require(part), progress);
        }
      }
      AtomicFiles.write(
          folder.resolve("costs.csv"),
          file -> Files.writeString(file, EncodingCost.csv(encodings.costs)));
      return encodings;
    } catch (IOException e) {
      cache.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      cache.close();
      throw e;
    }
  }

  private void encodePictures(
      Dataset data, int side, Checkpoint base, Backend backend, Progress progress)
      throws IOException {
    Progress.Phase phase = progress.begin("encoding pictures", data.size());
    Map<String, PixelImage> group = new LinkedHashMap<>();
    Map<String, Tensor> shard = new LinkedHashMap<>();
    long encoded = 0;
    double seconds = 0;
    try (Executable encoder = backend.compile("vae encoder", vae.encoder(GROUP, side, side))) {
      for (int i = 0; i < data.size(); i++) {
        Example example = data.get(i);
        PixelImage picture = example.picture();
        if (picture.width() != side || picture.height() != side) {
          throw new UserException(
              "the picture of example %s is %dx%d, the run trains on %dx%d: correct data.size"
                  .formatted(example.id(), picture.width(), picture.height(), side, side));
        }
        String key = latentKey(picture);
        latents.add(key);
        captions.add(example.caption());
        if (!cache.contains(mean(key)) && !shard.containsKey(mean(key))) {
          group.put(key, picture);
        }
        phase.step();
        boolean last = i == data.size() - 1;
        if (group.size() == GROUP || (last && !group.isEmpty())) {
          long start = System.nanoTime();
          encode(group, side, encoder, shard);
          seconds += (System.nanoTime() - start) * 1e-9;
          encoded += group.size();
          group.clear();
        }
        if (shard.size() >= 2 * GROUP * GROUPS || (last && !shard.isEmpty())) {
          cache.write(shard);
          shard.clear();
        }
      }
    }
    Tensor mean = cache.read(mean(latents.getFirst()));
    long numbers = 2 * mean.shape().count();
    costs.add(
        cost(
            "VAE (Enc)",
            encoderHalf(base.require(Part.VAE)),
            0,
            numbers,
            encoded,
            data.size(),
            seconds));
  }

  private static void encode(
      Map<String, PixelImage> group, int side, Executable encoder, Map<String, Tensor> shard) {
    Tensor pixels = Tensor.zeros(Shape.of(GROUP, 3, side, side));
    List<String> keys = List.copyOf(group.keySet());
    for (int i = 0; i < keys.size(); i++) {
      float[] levels = group.get(keys.get(i)).data();
      for (int j = 0; j < levels.length; j++) {
        pixels.data()[i * levels.length + j] = 2 * levels[j] - 1;
      }
    }
    Map<String, Tensor> outputs = encoder.run(Map.of("pixels", Feed.of(pixels)));
    for (int i = 0; i < keys.size(); i++) {
      shard.put(mean(keys.get(i)), slice(outputs.get("mean"), i));
      shard.put(keys.get(i) + ".logvar", slice(outputs.get("logvar"), i));
    }
  }

  private static Tensor slice(Tensor batch, int index) {
    Shape one = batch.shape().with(0, 1);
    int n = Math.toIntExact(one.count());
    return new Tensor(one, Arrays.copyOfRange(batch.data(), index * n, (index + 1) * n));
  }

  private void encodeCaptions(
      Part part, PromptEncoder encoder, WeightSource weights, Progress progress) {
    Set<String> distinct = new LinkedHashSet<>(captions);
    List<String> missing =
        distinct.stream().filter(c -> !cache.contains(hidden(textKey(part, c)))).toList();
    Progress.Phase phase = progress.begin("encoding captions, " + part.folder(), missing.size());
    Map<String, Tensor> shard = new LinkedHashMap<>();
    long start = System.nanoTime();
    for (int from = 0; from < missing.size(); from += GROUP) {
      List<String> group = missing.subList(from, Math.min(missing.size(), from + GROUP));
      List<PromptEncoding> encoded = CaptionGroup.encode(encoder, group);
      for (int i = 0; i < group.size(); i++) {
        put(part, textKey(part, group.get(i)), encoded.get(i), shard);
        phase.step();
      }
      if (shard.size() >= GROUP * GROUPS) {
        cache.write(shard);
        shard.clear();
      }
    }
    if (!shard.isEmpty()) {
      cache.write(shard);
    }
    double seconds = (System.nanoTime() - start) * 1e-9;
    String key = textKey(part, captions.getFirst());
    long sequence = cache.read(hidden(key)).shape().count();
    long vector = part == Part.T5 ? 0 : cache.read(pooled(key)).shape().count();
    costs.add(
        cost(
            part.folder(),
            count(weights, ""),
            sequence,
            vector,
            missing.size(),
            distinct.size(),
            seconds));
  }

  private static void put(
      Part part, String key, PromptEncoding encoding, Map<String, Tensor> shard) {
    if (part == Part.T5) {
      shard.put(hidden(key), encoding.t5().orElseThrow());
      return;
    }
    ClipOutput clip = (part == Part.CLIP_L ? encoding.clipL() : encoding.clipG()).orElseThrow();
    shard.put(hidden(key), clip.penultimate());
    shard.put(pooled(key), clip.pooled());
  }

  private static EncodingCost cost(
      String name,
      long parameters,
      long sequence,
      long vector,
      long encoded,
      long all,
      double seconds) {
    return new EncodingCost(
        new PreEncoding.Encoder(name, parameters, sequence, vector),
        encoded,
        all - encoded,
        seconds);
  }

  /** The half of an autoencoder that encodes. */
  private static long encoderHalf(WeightSource weights) {
    return count(weights, "encoder.") + count(weights, "quant_conv.");
  }

  private static long count(WeightSource weights, String prefix) {
    return weights.names().stream()
        .filter(name -> name.startsWith(prefix))
        .mapToLong(name -> weights.require(name).shape().count())
        .sum();
  }

  private String latentKey(PixelImage picture) {
    return new Fingerprint()
        .add("latent")
        .add(hashes.get(Part.VAE))
        .add(picture.width())
        .add(picture.height())
        .add(picture.data())
        .hex();
  }

  private String textKey(Part part, String caption) {
    int tokens = part == Part.T5 ? layout.t5Tokens() : layout.clipTokens();
    return new Fingerprint()
        .add("text")
        .add(part.folder())
        .add(hashes.get(part))
        .add(tokens)
        .add(caption)
        .hex();
  }

  private static String mean(String key) {
    return key + ".mean";
  }

  private static String hidden(String key) {
    return key + ".hidden";
  }

  private static String pooled(String key) {
    return key + ".pooled";
  }

  /** What each network cost this time, in Table 7's order. */
  public List<EncodingCost> costs() {
    return List.copyOf(costs);
  }

  @Override
  public int size() {
    return latents.size();
  }

  @Override
  public Encoded get(int index) {
    Tensor mean = cache.read(mean(latents.get(index)));
    String caption = captions.get(index);
    String t5 = textKey(Part.T5, caption);
    PromptEmbedding prompt =
        PromptEmbedding.assemble(
            layout,
            Optional.of(clip(Part.CLIP_L, caption)),
            Optional.of(clip(Part.CLIP_G, caption)),
            Optional.of(cache.read(hidden(t5))));
    return new Encoded(LatentSpace.normalise(mean, vae.config()), prompt);
  }

  private ClipOutput clip(Part part, String caption) {
    String key = textKey(part, caption);
    return new ClipOutput(cache.read(hidden(key)), cache.read(pooled(key)));
  }

  @Override
  public void close() {
    cache.close();
  }
}
