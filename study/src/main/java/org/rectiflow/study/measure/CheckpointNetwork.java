package org.rectiflow.study.measure;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.backbones.BackboneConfig;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.safetensors.TensorSource;

/**
 * The transformer in a checkpoint of a run, with the weights as they were trained or with their
 * moving average. Keeps the checkpoint's files open.
 */
public final class CheckpointNetwork implements AutoCloseable {
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
    return stateWeights.names().stream().anyMatch(name -> name.startsWith("ema."));
  }

  /**
   * The network.
   *
   * @param weights {@code ema} or {@code raw}
   */
  public VelocityModel model(String weights) {
    return config.model(new Trained(weights.equals("ema") ? "ema." : "parameter."));
  }

  /** Trained tensors from the state, the others, such as positions, from the published model. */
  private final class Trained implements WeightSource {
    private final String prefix;

    Trained(String prefix) {
      this.prefix = prefix;
    }

    @Override
    public Optional<Weight> find(String name) {
      return stateWeights.find(prefix + name).or(() -> publishedWeights.find(name));
    }

    @Override
    public Weight require(String name, int... dims) {
      Weight weight = require(name);
      // The state has the shapes of the objective, which are views of the model's.
      if (weight.shape().count() != Shape.of(dims).count()) {
        throw new CheckpointException(
            "%s: %s has shape %s, the model needs %s"
                .formatted(origin(), name, weight.shape(), Shape.of(dims)));
      }
      return weight.reshape(dims);
    }

    @Override
    public Set<String> names() {
      return new LinkedHashSet<>(publishedWeights.names());
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
