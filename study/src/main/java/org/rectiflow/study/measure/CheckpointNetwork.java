package org.rectiflow.study.measure;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.rectiflow.backbones.BackboneConfig;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.safetensors.TensorSource;

/**
 * The transformer in a checkpoint of a run, and the text encoders if they were trained with it,
 * with the weights as they were trained or with their moving average. Keeps the checkpoint's files
 * open.
 */
public final class CheckpointNetwork implements AutoCloseable {
  private static final String PARAMETER = "parameter.";
  private static final String AVERAGE = "ema.";

  private final TensorSource published;
  private final TensorSource state;
  private final StoredWeights publishedWeights;
  private final StoredWeights stateWeights;
  private final BackboneConfig config;

  /**
   * Opens a checkpoint that the trainer wrote.
   *
   * @param clipTokens tokens of the context that are CLIP's
   */
  public CheckpointNetwork(Path checkpoint, int clipTokens) {
    published =
        TensorSource.open(checkpoint.resolve("transformer/diffusion_pytorch_model.safetensors"));
    state = TensorSource.open(checkpoint.resolve("training/state.safetensors"));
    publishedWeights = new StoredWeights(published);
    stateWeights = new StoredWeights(state);
    config = BackboneConfig.of(publishedWeights, clipTokens);
  }

  /** Architecture and sizes. */
  public BackboneConfig config() {
    return config;
  }

  /** Whether the run had a moving average. */
  public boolean hasAverage() {
    return stateWeights.names().stream().anyMatch(name -> name.startsWith(AVERAGE));
  }

  /**
   * The network.
   *
   * @param weights {@code ema} or {@code raw}
   */
  public VelocityModel model(String weights) {
    return config.model(new Trained(prefix(weights), publishedWeights));
  }

  /** Whether the run trained text encoders too. */
  public boolean hasEncoders() {
    return Stream.of(Part.values())
        .filter(Part::isEncoder)
        .anyMatch(part ->
            stateWeights.names().stream()
                .anyMatch(n -> n.startsWith(PARAMETER + part.folder() + ".")));
  }

  /**
   * The tensors of a text encoder: those that the run trained have its values.
   *
   * @param weights {@code ema} or {@code raw}
   * @param base the encoder that the run began with
   */
  public WeightSource encoder(Part part, String weights, WeightSource base) {
    return new Trained(prefix(weights) + part.folder() + ".", base);
  }

  private static String prefix(String weights) {
    return weights.equals("ema") ? AVERAGE : PARAMETER;
  }

  /** Trained tensors from the state, the others, such as positions, from what is published. */
  private final class Trained implements WeightSource {
    private final String prefix;
    private final WeightSource others;

    Trained(String prefix, WeightSource others) {
      this.prefix = prefix;
      this.others = others;
    }

    /** The state has the shapes of the objective, which are views of the model's. */
    @Override
    public Optional<Weight> find(String name) {
      return others
          .find(name)
          .map(other ->
              stateWeights
                  .find(prefix + name)
                  .map(trained -> trained.reshape(other.shape().dims()))
                  .orElse(other));
    }

    @Override
    public Set<String> names() {
      return others.names();
    }

    @Override
    public String origin() {
      return state.path().toString();
    }
  }

  @Override
  public void close() {
    try (published) {
      state.close();
    }
  }
}
