package org.rectiflow.trainer.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.encoders.PromptTokens;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.evaluation.PreEncoding;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.data.CaptionGroup;
import org.rectiflow.trainer.data.Pixels;
import org.rectiflow.vae.Autoencoder;

/**
 * A folder of latents and text embeddings (paper, Appendix E.1). A latent is found by the picture's
 * pixels and the autoencoder; an encoder's outputs by the caption's tokens and that encoder, each
 * encoder by itself, so that each can be dropped by itself. So a caption cannot meet another's
 * latent, whatever is done to the data, and what was encoded before the process was killed is not
 * encoded again. The values are those of encoding without a cache, bit for bit.
 */
public final class EncodingCache {
  /** What the costs of the last encoding are written to. */
  public static final String COSTS = "costs.csv";

  /** Pictures that go through the autoencoder together; always as many, so the same bits. */
  private static final int GROUP = CaptionGroup.SIZE;

  /** Groups in one shard: what is lost at most when the process is killed. */
  private static final int GROUPS = 8;

  private final Path folder;
  private final TensorCache cache;
  private final CacheKeys keys;
  private final Checkpoint base;
  private final TextToImage pipeline;
  private final int t5Tokens;
  private final Autoencoder vae;
  private final PromptEmbedding.Layout layout;
  private final Map<String, EncodingCost> costs = new LinkedHashMap<>();

  private EncodingCache(
      Path folder, CacheKeys keys, Checkpoint base, TextToImage pipeline, int t5Tokens) {
    this.folder = folder;
    this.keys = keys;
    this.base = base;
    this.pipeline = pipeline;
    this.t5Tokens = t5Tokens;
    vae = new Autoencoder(pipeline.vaeConfig(), base.require(Part.VAE));
    try (PromptEncoder all = pipeline.encoders(t5Tokens, Set.of())) {
      layout = all.layout();
    }
    cache = TensorCache.open(folder);
  }

  /**
   * Opens a folder, which is made if it is missing. It stays open until the data encoded with it
   * are closed.
   *
   * @param base the model whose autoencoder and text encoders are used
   * @param pipeline of the same model
   * @param t5Tokens T5's length at most
   * @throws UserException if the folder cannot be used
   */
  public static EncodingCache open(
      Path folder, Checkpoint base, TextToImage pipeline, int t5Tokens) {
    try {
      return new EncodingCache(folder, CacheKeys.of(base), base, pipeline, t5Tokens);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Encodes what the folder does not have yet. If that is anything, {@value #COSTS} in the folder
   * says what it cost.
   *
   * @param data examples of {@code side} x {@code side} pixels
   * @throws UserException if a picture has another size; the cache is closed then
   */
  public CachedEncodings encode(Dataset data, int side, Backend backend, Progress progress) {
    try {
      List<String> captions = new ArrayList<>();
      List<String> latents = encodePictures(data, side, captions, backend, progress);
      Map<Part, List<String>> texts = new EnumMap<>(Part.class);
      for (Part part : CacheKeys.ENCODERS) {
        Set<Part> others =
            CacheKeys.ENCODERS.stream().filter(p -> p != part).collect(Collectors.toSet());
        try (PromptEncoder encoder = pipeline.encoders(t5Tokens, others)) {
          texts.put(part, encodeCaptions(part, captions, encoder, progress));
        }
      }
      if (costs().stream().anyMatch(cost -> cost.encoded() > 0)) {
        AtomicFiles.write(
            folder.resolve(COSTS), file -> Files.writeString(file, EncodingCost.csv(costs())));
      }
      return new CachedEncodings(cache, vae.config(), layout, captions, latents, texts);
    } catch (IOException e) {
      cache.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      cache.close();
      throw e;
    }
  }

  /** What each network cost so far, all data together, in Table 7's order. */
  public List<EncodingCost> costs() {
    return List.copyOf(costs.values());
  }

  /** The examples' keys; their captions are added to a list. */
  private List<String> encodePictures(
      Dataset data, int side, List<String> captions, Backend backend, Progress progress)
      throws IOException {
    Progress.Phase phase = progress.begin("encoding pictures", data.size());
    List<String> latents = new ArrayList<>();
    Map<String, PixelImage> group = new LinkedHashMap<>();
    Map<String, Tensor> shard = new LinkedHashMap<>();
    long encoded = 0;
    double seconds = 0;
    Executable encoder = null;
    try {
      for (int i = 0; i < data.size(); i++) {
        Example example = data.get(i);
        PixelImage picture = Pixels.of(example, side);
        String key = keys.latent(picture);
        String mean = CachedEncodings.mean(key);
        latents.add(key);
        captions.add(example.caption());
        if (!cache.contains(mean) && !shard.containsKey(mean)) {
          group.put(key, picture);
        }
        phase.step();
        boolean last = i == data.size() - 1;
        if (group.size() == GROUP || (last && !group.isEmpty())) {
          if (encoder == null) {
            encoder = backend.compile("vae encoder", vae.encoder(GROUP, side, side));
          }
          long start = System.nanoTime();
          encode(group, encoder, shard);
          seconds += (System.nanoTime() - start) * 1e-9;
          encoded += group.size();
          group.clear();
        }
        if (shard.size() >= 2 * GROUP * GROUPS || (last && !shard.isEmpty())) {
          cache.write(shard);
          shard.clear();
        }
      }
    } finally {
      if (encoder != null) {
        encoder.close();
      }
    }
    long numbers = 2 * cache.read(CachedEncodings.mean(latents.getFirst())).shape().count();
    cost(
        new PreEncoding.Encoder("VAE (Enc)", encoderHalf(base.require(Part.VAE)), 0, numbers),
        encoded,
        data.size(),
        seconds);
    return latents;
  }

  private static void encode(
      Map<String, PixelImage> group, Executable encoder, Map<String, Tensor> shard) {
    Tensor pixels = Pixels.tensor(List.copyOf(group.values()), GROUP);
    List<String> keys = List.copyOf(group.keySet());
    Map<String, Tensor> outputs = encoder.run(Map.of("pixels", Feed.of(pixels)));
    for (int i = 0; i < keys.size(); i++) {
      shard.put(CachedEncodings.mean(keys.get(i)), outputs.get("mean").row(i));
      shard.put(CachedEncodings.logvar(keys.get(i)), outputs.get("logvar").row(i));
    }
  }

  /** The captions' keys. */
  private List<String> encodeCaptions(
      Part part, List<String> captions, PromptEncoder encoder, Progress progress) {
    Map<String, String> keyOf = new LinkedHashMap<>();
    for (String caption : captions) {
      keyOf.computeIfAbsent(
          caption, text -> keys.text(part, only(encoder.tokenize(Prompts.all(text)))));
    }
    // Texts of the same tokens have the same outputs.
    Map<String, String> textOf = new LinkedHashMap<>();
    keyOf.forEach((text, key) -> textOf.putIfAbsent(key, text));
    List<String> missing =
        textOf.keySet().stream().filter(k -> !cache.contains(CachedEncodings.hidden(k))).toList();
    Progress.Phase phase = progress.begin("encoding captions, " + part.folder(), missing.size());
    Map<String, Tensor> shard = new LinkedHashMap<>();
    long start = System.nanoTime();
    for (int from = 0; from < missing.size(); from += GROUP) {
      List<String> group = missing.subList(from, Math.min(missing.size(), from + GROUP));
      List<PromptEncoding> encoded =
          CaptionGroup.encode(encoder, group.stream().map(textOf::get).toList());
      for (int i = 0; i < group.size(); i++) {
        put(part, group.get(i), encoded.get(i), shard);
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
    String key = keyOf.get(captions.getFirst());
    long sequence = cache.read(CachedEncodings.hidden(key)).shape().count();
    long vector = part == Part.T5 ? 0 : cache.read(CachedEncodings.pooled(key)).shape().count();
    cost(
        new PreEncoding.Encoder(part.folder(), count(base.require(part), ""), sequence, vector),
        missing.size(),
        textOf.size(),
        seconds);
    return captions.stream().map(keyOf::get).toList();
  }

  /** The tokens of the one encoder that is there. */
  private static TokenizedPrompt only(PromptTokens tokens) {
    return tokens.clipL().or(tokens::clipG).or(tokens::t5).orElseThrow();
  }

  private static void put(
      Part part, String key, PromptEncoding encoding, Map<String, Tensor> shard) {
    if (part == Part.T5) {
      shard.put(CachedEncodings.hidden(key), encoding.t5().orElseThrow());
      return;
    }
    ClipOutput clip = (part == Part.CLIP_L ? encoding.clipL() : encoding.clipG()).orElseThrow();
    shard.put(CachedEncodings.hidden(key), clip.penultimate());
    shard.put(CachedEncodings.pooled(key), clip.pooled());
  }

  private void cost(PreEncoding.Encoder encoder, long encoded, long all, double seconds) {
    costs.merge(
        encoder.name(),
        new EncodingCost(encoder, encoded, all - encoded, seconds),
        EncodingCost::plus);
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
}
