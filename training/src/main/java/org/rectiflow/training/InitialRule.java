package org.rectiflow.training;

import java.util.Arrays;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.WeightSource;

/**
 * Which values a tensor begins with. Norms begin with weight 1 and bias 0 under every rule: they
 * are the vectors called {@code weight}, and the biases whose weight is a vector.
 */
@FunctionalInterface
public interface InitialRule {

  /**
   * Chooses the values of one tensor.
   *
   * @param name as in the checkpoint
   * @param shape as in the checkpoint; matrices are [outputs, inputs], kernels [outputs, inputs,
   *     height, width]
   * @param made the tensors that have values already; a bias comes after its weight
   * @param values to fill, all zero
   */
  void fill(String name, Shape shape, WeightSource made, float[] values, RandomGenerator random);

  /**
   * torch's own: weights and biases of linear layers and convolutions are uniform between plus and
   * minus 1/sqrt(inputs) ({@code torch.nn.Linear.reset_parameters}, torch 2); tables of embeddings
   * are standard normal ({@code torch.nn.Embedding}).
   *
   * @param table whether a tensor is a table of embeddings, by name
   */
  static InitialRule torch(Predicate<String> table) {
    return (name, shape, made, values, random) -> {
      if (shape.rank() > 1) {
        if (table.test(name)) {
          normal(values, 1, random);
        } else {
          uniform(values, 1 / Math.sqrt(inputs(shape)), random);
        }
      } else if (name.endsWith(".weight")) {
        Arrays.fill(values, 1);
      } else if (name.endsWith(".bias")) {
        made.find(name.substring(0, name.length() - "bias".length()) + "weight")
            .filter(weight -> weight.shape().rank() > 1)
            .ifPresent(weight -> uniform(values, 1 / Math.sqrt(inputs(weight.shape())), random));
      }
    };
  }

  /**
   * That of DiT (Peebles and Xie 2023, {@code DiT.initialize_weights}; "adaLN-Zero"), which the
   * paper builds on without stating its own: linear layers, the patch embedding among them, are
   * uniform between plus and minus sqrt(6 / (inputs + outputs)) (Xavier) with biases 0; the two
   * layers of the timestep's and the prompt's embedding are normal with deviation 0.02; modulations
   * and the last layer begin at zero, so that every block begins as the identity and the model
   * answers 0.
   *
   * @param embedding whether a tensor belongs to the conditioning's embedding, by name
   * @param zero whether a tensor begins at zero, by name
   */
  static InitialRule dit(Predicate<String> embedding, Predicate<String> zero) {
    return (name, shape, _, values, random) -> {
      if (zero.test(name)) {
        return;
      }
      if (shape.rank() > 1) {
        if (embedding.test(name)) {
          normal(values, 0.02, random);
        } else {
          uniform(values, Math.sqrt(6.0 / (inputs(shape) + shape.dim(0))), random);
        }
      } else if (name.endsWith(".weight")) {
        Arrays.fill(values, 1);
      }
    };
  }

  /** How many inputs each output has. */
  private static double inputs(Shape shape) {
    return shape.product(1, shape.rank());
  }

  private static void uniform(float[] values, double bound, RandomGenerator random) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (bound * (2 * random.nextDouble() - 1));
    }
  }

  private static void normal(float[] values, double deviation, RandomGenerator random) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
  }
}
