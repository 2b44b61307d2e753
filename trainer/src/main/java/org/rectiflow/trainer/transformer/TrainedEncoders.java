package org.rectiflow.trainer.transformer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.DiffusersConfigs;
import org.rectiflow.trainer.data.CaptionGroup;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.training.PromptTower;
import org.rectiflow.training.PromptTower.Encoder;
import org.rectiflow.training.PromptTowers;

/**
 * The text encoders that are trained with a transformer: their part of the objective and of its
 * data, and prompts encoded with the values they have by now.
 */
final class TrainedEncoders implements AutoCloseable {
  private final Checkpoint base;
  private final PromptEmbedding.Layout layout;
  private final Map<Encoder, One> encoders = new EnumMap<>(Encoder.class);

  /** One encoder. */
  private record One(
      PromptTower tower,
      WeightSource weights,
      PromptTokenizer tokenizer,
      Map<String, TokenizedPrompt> known) {

    TokenizedPrompt tokenize(String text) {
      return known.computeIfAbsent(text, t -> tokenizer.encode(t, tower.tokens()));
    }

    /** Its own tensors with these values, under the names they have in a checkpoint. */
    WeightSource with(Map<String, Tensor> parameters) {
      Map<String, Tensor> own = new LinkedHashMap<>();
      parameters.forEach((name, value) -> {
        if (name.startsWith(tower.prefix())) {
          own.put(name.substring(tower.prefix().length()), value);
        }
      });
      return new ValueWeights(weights, own);
    }
  }

  /** The tensors that an encoder's graph reads; files may hold others. */
  private record Used(WeightSource all, Set<String> names) implements WeightSource {
    static Used by(PromptTower tower, WeightSource all) {
      Set<String> names = new TreeSet<>();
      for (Node node : tower.graph().nodes()) {
        if (node.op() instanceof Op.Parameter(Weight weight)) {
          names.add(weight.name());
        }
      }
      return new Used(all, names);
    }

    @Override
    public Optional<Weight> find(String name) {
      return names.contains(name) ? all.find(name) : Optional.empty();
    }

    @Override
    public String origin() {
      return all.origin();
    }
  }

  private TrainedEncoders(Checkpoint base, PromptEmbedding.Layout layout) {
    this.base = base;
    this.layout = layout;
  }

  /**
   * Encoders that begin with a model's weights.
   *
   * @param trained which, none or more
   * @param base the model; stays open as long as this is used
   * @param batch prompts of a step
   */
  static TrainedEncoders of(
      List<Encoder> trained, Checkpoint base, PromptEmbedding.Layout layout, int batch) {
    TrainedEncoders all = new TrainedEncoders(base, layout);
    for (Encoder encoder : trained) {
      Part part = part(encoder);
      WeightSource weights = base.require(part);
      String prefix = part.folder() + ".";
      PromptTower tower =
          encoder == Encoder.T5
              ? PromptTower.t5(
                  prefix, new T5Encoder(base.t5Config(), weights), batch, layout.t5Tokens())
              : PromptTower.clip(
                  encoder,
                  prefix,
                  new ClipTextModel(base.clipConfig(part), weights),
                  batch,
                  layout.clipTokens());
      all.encoders.put(
          encoder,
          new One(tower, Used.by(tower, weights), all.tokenizer(encoder), new HashMap<>()));
    }
    return all;
  }

  private static Part part(Encoder encoder) {
    return switch (encoder) {
      case CLIP_L -> Part.CLIP_L;
      case CLIP_G -> Part.CLIP_G;
      case T5 -> Part.T5;
    };
  }

  private PromptTokenizer tokenizer(Encoder encoder) {
    Path folder = base.requireTokenizer(part(encoder));
    return encoder == Encoder.T5 ? PromptTokenizer.t5(folder) : PromptTokenizer.clip(folder);
  }

  boolean isEmpty() {
    return encoders.isEmpty();
  }

  /** Their graphs. */
  PromptTowers towers(PromptParts parts) {
    List<PromptTower> towers = encoders.values().stream().map(One::tower).toList();
    return new PromptTowers(parts.clipTokens(), parts.widthL(), parts.pooledL(), towers);
  }

  /**
   * The objective's inputs for a batch.
   *
   * @param texts of each sample
   * @param dropped of each encoder, by its ordinal, and sample
   */
  Map<String, Feed> data(List<String> texts, boolean[][] dropped) {
    Map<String, Feed> feeds = new LinkedHashMap<>();
    encoders.forEach((encoder, one) ->
        feeds.putAll(
            one.tower()
                .data(
                    texts.stream().map(one::tokenize).toList(),
                    one.tokenizer().eos(),
                    dropped[encoder.ordinal()])));
    return feeds;
  }

  /** All values that are not an encoder's. */
  Map<String, Tensor> others(Map<String, Tensor> parameters) {
    Map<String, Tensor> others = new LinkedHashMap<>(parameters);
    encoders
        .values()
        .forEach(one -> others.keySet().removeIf(name -> name.startsWith(one.tower().prefix())));
    return others;
  }

  /** All three encoders, the trained ones with these values. */
  PromptEncoder encoder(Map<String, Tensor> parameters, Backend backend) {
    return new PromptEncoder(
        backend,
        layout,
        Optional.of(clip(Encoder.CLIP_L, parameters)),
        Optional.of(clip(Encoder.CLIP_G, parameters)),
        Optional.of(
            new PromptEncoder.T5(
                tokenizer(Encoder.T5),
                new T5Encoder(base.t5Config(), weights(Encoder.T5, parameters)))));
  }

  private PromptEncoder.Clip clip(Encoder encoder, Map<String, Tensor> parameters) {
    return new PromptEncoder.Clip(
        tokenizer(encoder),
        new ClipTextModel(base.clipConfig(part(encoder)), weights(encoder, parameters)));
  }

  private WeightSource weights(Encoder encoder, Map<String, Tensor> parameters) {
    One one = encoders.get(encoder);
    return one == null ? base.require(part(encoder)) : one.with(parameters);
  }

  /** Data whose captions are encoded with these values; as they are if no encoder is trained. */
  EncodedData encoded(EncodedData data, Map<String, Tensor> parameters, Backend backend) {
    if (isEmpty()) {
      return data;
    }
    Set<String> captions = new TreeSet<>();
    for (int i = 0; i < data.size(); i++) {
      captions.add(data.get(i).caption());
    }
    try (PromptEncoder encoder = encoder(parameters, backend)) {
      return new Reencoded(data, CaptionGroup.embed(encoder, captions, () -> {}));
    }
  }

  /** Data with other embeddings of their captions. */
  private record Reencoded(EncodedData data, Map<String, PromptEmbedding> prompts)
      implements EncodedData {
    @Override
    public int size() {
      return data.size();
    }

    @Override
    public Encoded get(int index) {
      Encoded one = data.get(index);
      return new Encoded(one.latent(), prompts.get(one.caption()), one.caption());
    }
  }

  /** The folders of a checkpoint that these encoders fill. */
  Set<String> folders() {
    Set<String> folders = new TreeSet<>();
    encoders.keySet().forEach(encoder -> folders.add(part(encoder).folder()));
    return folders;
  }

  /** Writes the trained encoders into a model's folder. */
  void write(Path folder, Map<String, Tensor> parameters) throws IOException {
    for (Map.Entry<Encoder, One> entry : encoders.entrySet()) {
      Part part = part(entry.getKey());
      Map<String, Object> config =
          entry.getKey() == Encoder.T5
              ? DiffusersConfigs.t5(base.t5Config())
              : DiffusersConfigs.clip(part, base.clipConfig(part));
      ModelFolder.writeEncoder(folder, part.folder(), entry.getValue().with(parameters), config);
    }
  }

  @Override
  public void close() {
    encoders.values().forEach(one -> one.tokenizer().close());
  }
}
