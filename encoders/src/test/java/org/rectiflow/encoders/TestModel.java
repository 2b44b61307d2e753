package org.rectiflow.encoders;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.rectiflow.encoders.PromptEmbedding.Layout;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.safetensors.TensorSource;

/** The text encoders of a model folder, opened for a test. */
final class TestModel implements AutoCloseable {
  private final Path folder;
  private final List<TensorSource> open = new ArrayList<>();

  TestModel(Path folder) {
    this.folder = folder;
  }

  WeightSource weights(String part) {
    TensorSource source = TensorSource.open(folder.resolve(part).resolve("model.safetensors"));
    open.add(source);
    return new StoredWeights(source);
  }

  ClipTextModel clip(String part) {
    return new ClipTextModel(
        ClipConfig.read(folder.resolve(part).resolve("config.json")), weights(part));
  }

  T5Encoder t5() {
    Path config = folder.resolve("text_encoder_3").resolve("config.json");
    return new T5Encoder(T5Config.read(config), weights("text_encoder_3"));
  }

  Optional<PromptEncoder.Clip> clipL() {
    return Optional.of(
        new PromptEncoder.Clip(
            PromptTokenizer.clip(folder.resolve("tokenizer")), clip("text_encoder")));
  }

  Optional<PromptEncoder.Clip> clipG() {
    return Optional.of(
        new PromptEncoder.Clip(
            PromptTokenizer.clip(folder.resolve("tokenizer_2")), clip("text_encoder_2")));
  }

  Optional<PromptEncoder.T5> t5Part() {
    return Optional.of(
        new PromptEncoder.T5(PromptTokenizer.t5(folder.resolve("tokenizer_3")), t5()));
  }

  PromptEncoder encoder(Backend backend, Layout layout) {
    return new PromptEncoder(backend, layout, clipL(), clipG(), t5Part());
  }

  @Override
  public void close() {
    open.forEach(TensorSource::close);
  }
}
