package org.rectiflow.training;

import java.util.Map;
import java.util.function.Predicate;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.mmdit.VelocityModel;

/**
 * The training loss of the transformer: the mean over a batch of {@code weight |v - target|^2 / n},
 * n elements to a latent: the paper's conditional flow matching (equation 8), whose target is noise
 * minus data and whose weight is 1 for rectified flow (equation 13).
 */
public final class TransformerObjective {
  /** The stored position table: sines and cosines, never trained. */
  public static final String POSITIONS = "pos_embed.pos_embed";

  private TransformerObjective() {}

  /**
   * As {@link #of(VelocityModel, int, int, int, int, Predicate)}, training everything but
   * positions.
   */
  public static Objective of(
      VelocityModel model, int batch, int height, int width, int contextTokens) {
    return of(model, batch, height, width, contextTokens, name -> !name.equals(POSITIONS));
  }

  /** The objective with everything kept that derivatives need. */
  public static Objective of(
      VelocityModel model,
      int batch,
      int height,
      int width,
      int contextTokens,
      Predicate<String> trained) {
    return of(model, batch, height, width, contextTokens, trained, Recompute.NONE);
  }

  /**
   * The objective for one size of batch and picture. Data: {@code latent}, {@code timestep}, {@code
   * context} and {@code pooled} as for {@link VelocityModel#graph}; {@code target}, shaped as the
   * latent; {@code weight} [B]. Besides the loss it returns {@code losses} [B], each sample's
   * before its weight.
   *
   * @param trained which tensors are trained, by name
   * @param recompute what the backward pass computes again to save memory; {@link Objective#within}
   *     chooses
   */
  public static Objective of(
      VelocityModel model,
      int batch,
      int height,
      int width,
      int contextTokens,
      Predicate<String> trained,
      Recompute recompute) {
    return of(model, batch, height, width, contextTokens, trained, recompute, PromptTowers.none());
  }

  /**
   * The same, with text encoders trained too. What {@code context} and {@code pooled} have in their
   * places is not looked at; they read the data of {@link PromptTower#data}.
   *
   * @param encoders of this size of batch; their tensors are trained as {@code trained} says of the
   *     names with their prefix
   */
  public static Objective of(
      VelocityModel model,
      int batch,
      int height,
      int width,
      int contextTokens,
      Predicate<String> trained,
      Recompute recompute,
      PromptTowers encoders) {
    Graph g = new Graph();
    Trainables trainables = new Trainables(g, trained);
    Graph forward = model.graph(batch, height, width, contextTokens, false);
    Map<String, Value> prompt = prompt(g, trainables, forward, encoders);
    Value velocity = g.include(forward, prompt, trainables::record).get("velocity");
    Value target = g.input("target", velocity.shape().dims());
    Value weight = g.input("weight", batch);
    int elements = Math.toIntExact(velocity.shape().count() / batch);
    Value difference = g.reshape(g.subtract(velocity, target), batch, elements);
    Value squares = g.sum(g.mul(difference, difference), 1);
    Value losses = g.affine(squares, 1f / elements, 0);
    g.output("losses", losses);
    trainables.differentiate(g.mean(g.mul(losses, weight)), recompute);
    return new Objective(g, trainables.initial());
  }

  /** What replaces the model's inputs of the prompt; nothing if no encoder is trained. */
  private static Map<String, Value> prompt(
      Graph g, Trainables trainables, Graph forward, PromptTowers encoders) {
    if (encoders.towers().isEmpty()) {
      return Map.of();
    }
    PromptTowers.Embedding embedding =
        encoders.record(g, trainables, like(g, forward, "context"), like(g, forward, "pooled"));
    return Map.of("context", embedding.context(), "pooled", embedding.pooled());
  }

  /** An input as another graph has it. */
  private static Value like(Graph g, Graph other, String name) {
    for (Node node : other.nodes()) {
      if (node.op() instanceof Op.Input input && input.name().equals(name)) {
        return g.input(name, input.shape().dims());
      }
    }
    throw new IllegalArgumentException("the model has no input " + name);
  }

  /**
   * The data of rectified flow (the paper's equation 13): z_t = (1 - t) x0 + t noise at the
   * timestep 1000 t, target noise - x0, weight 1.
   *
   * @param t [B], 0 to 1
   */
  public static Map<String, Tensor> rectifiedFlow(
      Tensor x0, Tensor noise, Tensor t, Tensor context, Tensor pooled) {
    int batch = x0.shape().dim(0);
    int elements = x0.data().length / batch;
    Tensor latent = Tensor.zeros(x0.shape());
    Tensor target = Tensor.zeros(x0.shape());
    for (int i = 0; i < latent.data().length; i++) {
      float time = t.data()[i / elements];
      latent.data()[i] = (1 - time) * x0.data()[i] + time * noise.data()[i];
      target.data()[i] = noise.data()[i] - x0.data()[i];
    }
    Tensor timestep = Tensor.zeros(Shape.of(batch));
    Tensor weight = Tensor.zeros(Shape.of(batch));
    for (int i = 0; i < batch; i++) {
      timestep.data()[i] = 1000 * t.data()[i];
      weight.data()[i] = 1;
    }
    return Map.of(
        "latent", latent,
        "timestep", timestep,
        "context", context,
        "pooled", pooled,
        "target", target,
        "weight", weight);
  }
}
