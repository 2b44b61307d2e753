package org.rectiflow.training;

import java.util.Map;
import java.util.function.Predicate;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Value;
import org.rectiflow.mmdit.Mmdit;

/**
 * The training loss of the transformer: the mean over a batch of {@code weight |v - target|^2 / n},
 * n elements to a latent (the paper's equation 14, whose weight is 1 for rectified flow, and target
 * noise minus data).
 */
public final class TransformerObjective {
  /** The stored position table: sines and cosines, never trained. */
  public static final String POSITIONS = "pos_embed.pos_embed";

  private TransformerObjective() {}

  /** As {@link #of(Mmdit, int, int, int, int, Predicate)}, training everything but positions. */
  public static Objective of(Mmdit model, int batch, int height, int width, int contextTokens) {
    return of(model, batch, height, width, contextTokens, name -> !name.equals(POSITIONS));
  }

  /**
   * The objective for one size of batch and picture. Data: {@code latent}, {@code timestep}, {@code
   * context} and {@code pooled} as for {@link Mmdit#graph}; {@code target}, shaped as the latent;
   * {@code weight} [B]. Besides the loss it returns {@code losses} [B], each sample's before its
   * weight.
   *
   * @param trained which tensors are trained, by name
   */
  public static Objective of(
      Mmdit model, int batch, int height, int width, int contextTokens, Predicate<String> trained) {
    Graph g = new Graph();
    Trainables trainables = new Trainables(g, trained);
    Graph forward = model.graph(batch, height, width, contextTokens, false);
    Value velocity = g.include(forward, Map.of(), trainables::record).get("velocity");
    Value target = g.input("target", velocity.shape().dims());
    Value weight = g.input("weight", batch);
    int elements = Math.toIntExact(velocity.shape().count() / batch);
    Value difference = g.reshape(g.subtract(velocity, target), batch, elements);
    Value squares = g.sum(g.mul(difference, difference), 1);
    Value losses = g.affine(squares, 1f / elements, 0);
    g.output("losses", losses);
    trainables.differentiate(g.mean(g.mul(losses, weight)));
    return new Objective(g, trainables.initial());
  }
}
