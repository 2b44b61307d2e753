package org.rectiflow.trainer.clip;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.trainer.transformer.ValueWeights;
import org.rectiflow.training.TextTower;

/** A text encoder in training: the tower, its tokenizer, and what its checkpoint consists of. */
final class TrainedEncoder implements AutoCloseable {
  private final Part part;
  private final String name;
  private final TextTower tower;
  private final PromptTokenizer tokenizer;
  private final WeightSource weights;
  private final Map<String, Object> config;
  private final Map<String, TokenizedPrompt> known = new HashMap<>();

  /**
   * @param name as in {@link ClipKeys#ENCODERS}
   * @param weights as they begin
   * @param config of the checkpoint
   */
  TrainedEncoder(
      Part part,
      String name,
      TextTower tower,
      PromptTokenizer tokenizer,
      WeightSource weights,
      Map<String, Object> config) {
    this.part = part;
    this.name = name;
    this.tower = tower;
    this.tokenizer = tokenizer;
    this.weights = weights;
    this.config = config;
  }

  Part part() {
    return part;
  }

  String name() {
    return name;
  }

  TextTower tower() {
    return tower;
  }

  Map<String, Object> config() {
    return config;
  }

  /** The tower's inputs for a batch of texts. */
  Map<String, Feed> data(List<String> texts) {
    List<TokenizedPrompt> prompts =
        texts.stream()
            .map(text -> known.computeIfAbsent(text, t -> tokenizer.encode(t, tower.tokens())))
            .toList();
    return tower.data(prompts, tokenizer.eos());
  }

  /** Its own tensors with trained values, under the names they have in a checkpoint. */
  ValueWeights trained(Map<String, Tensor> parameters) {
    Map<String, Tensor> own = new LinkedHashMap<>();
    parameters.forEach((parameter, value) -> {
      if (parameter.startsWith(tower.prefix())) {
        own.put(parameter.substring(tower.prefix().length()), value);
      }
    });
    return new ValueWeights(weights, own);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
