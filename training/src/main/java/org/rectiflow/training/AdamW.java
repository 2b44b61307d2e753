package org.rectiflow.training;

import java.util.HashMap;
import java.util.Map;
import org.rectiflow.engine.Tensor;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
 * 2019, Algorithm 2), as torch computes it: bias-corrected moments, epsilon outside the root, decay
 * times the learning rate. The paper trains with it at learning rate 1e-4 (Section 5.3).
 */
public final class AdamW {
  private final Settings settings;
  private final Map<String, Moments> moments = new HashMap<>();
  private long steps;

  /**
   * What does not change from step to step.
   *
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param epsilon added to the root of the second moment
   * @param weightDecay share of a value that a step of learning rate 1 takes off
   */
  public record Settings(double beta1, double beta2, double epsilon, double weightDecay) {
    /** torch's: 0.9, 0.999, 1e-8, 0.01. */
    public static final Settings TORCH = new Settings(0.9, 0.999, 1e-8, 0.01);

    /** Checks the ranges. */
    public Settings {
      boolean fits =
          beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon >= 0 && weightDecay >= 0;
      if (!fits) {
        throw new IllegalArgumentException(
            "AdamW needs betas of 0 to below 1, epsilon and weight decay of at least 0, found betas %s and %s, epsilon %s, weight decay %s"
                .formatted(beta1, beta2, epsilon, weightDecay));
      }
    }
  }

  /** Running means of a tensor's gradient and of its square. */
  private record Moments(float[] first, float[] second) {}

  public AdamW(Settings settings) {
    this.settings = settings;
  }

  /** How many steps were taken. */
  public long steps() {
    return steps;
  }

  /**
   * Takes one step, in place.
   *
   * @param parameters by name
   * @param gradients of the same names and sizes
   * @throws IllegalArgumentException if a gradient is missing or of another size
   */
  public void step(
      Map<String, Tensor> parameters, Map<String, Tensor> gradients, double learningRate) {
    for (var entry : parameters.entrySet()) {
      Tensor gradient = gradients.get(entry.getKey());
      if (gradient == null || gradient.data().length != entry.getValue().data().length) {
        throw new IllegalArgumentException(
            "the gradient of %s is %s, expected one of %s"
                .formatted(
                    entry.getKey(),
                    gradient == null ? "missing" : gradient.shape(),
                    entry.getValue().shape()));
      }
    }
    steps++;
    parameters.forEach(
        (name, value) -> step(name, value.data(), gradients.get(name).data(), learningRate));
  }

  private void step(String name, float[] value, float[] gradient, double learningRate) {
    Moments m =
        moments.computeIfAbsent(
            name, _ -> new Moments(new float[value.length], new float[value.length]));
    double b1 = settings.beta1;
    double b2 = settings.beta2;
    double size = learningRate / (1 - Math.pow(b1, steps));
    double root = Math.sqrt(1 - Math.pow(b2, steps));
    double keep = 1 - learningRate * settings.weightDecay;
    for (int i = 0; i < value.length; i++) {
      double g = gradient[i];
      double first = b1 * m.first[i] + (1 - b1) * g;
      double second = b2 * m.second[i] + (1 - b2) * g * g;
      m.first[i] = (float) first;
      m.second[i] = (float) second;
      double step = size * first / (Math.sqrt(second) / root + settings.epsilon);
      value[i] = (float) (keep * value[i] - step);
    }
  }
}
