package org.rectiflow.training;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Tensor;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
 * 2019, Algorithm 2), as torch computes it: bias-corrected moments, epsilon outside the root, decay
 * times the learning rate. The paper trains with it at learning rate 1e-4 (Section 5.3).
 */
public final class AdamW {
  private final Settings settings;
  private final Map<String, Moments> moments = new LinkedHashMap<>();
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

  /**
   * Running means of a tensor's gradient and of its square, of the tensor's shape, before bias
   * correction; torch's {@code exp_avg} and {@code exp_avg_sq}.
   */
  public record Moments(Tensor first, Tensor second) {}

  public AdamW(Settings settings) {
    this.settings = settings;
  }

  /** How many steps were taken. */
  public long steps() {
    return steps;
  }

  /**
   * The moments by tensor, empty before the first step. They are not copies: the next step changes
   * them.
   */
  public Map<String, Moments> moments() {
    return Collections.unmodifiableMap(moments);
  }

  /**
   * Goes on where another optimizer stopped: with its {@link #steps} and {@link #moments}, the next
   * step is to the bit the one that it would have taken.
   *
   * @param steps steps taken before
   * @param moments of all tensors that were trained, copied; empty if no step was taken
   * @throws IllegalArgumentException if the two do not belong together
   */
  public void restore(long steps, Map<String, Moments> moments) {
    if (steps < 0 || (steps == 0) != moments.isEmpty()) {
      throw new IllegalArgumentException(
          "%d steps do not go with the moments of %d tensors".formatted(steps, moments.size()));
    }
    moments.forEach((name, m) -> {
      if (!m.first.shape().equals(m.second.shape())) {
        throw new IllegalArgumentException(
            "the moments of %s have shapes %s and %s, expected the same"
                .formatted(name, m.first.shape(), m.second.shape()));
      }
    });
    this.steps = steps;
    this.moments.clear();
    moments.forEach(
        (name, m) -> this.moments.put(name, new Moments(copy(m.first), copy(m.second))));
  }

  private static Tensor copy(Tensor tensor) {
    return new Tensor(tensor.shape(), tensor.data().clone());
  }

  /**
   * Takes one step, in place, on all processors; results do not depend on their number.
   *
   * @param parameters by name
   * @param gradients of the same names and sizes
   * @throws IllegalArgumentException if a gradient or a moment is missing or of another size
   */
  public void step(
      Map<String, Tensor> parameters, Map<String, Tensor> gradients, double learningRate) {
    parameters.forEach((name, value) -> check(name, value, gradients.get(name)));
    steps++;
    List<Tensor> values = List.copyOf(parameters.values());
    List<Tensor> slopes = parameters.keySet().stream().map(gradients::get).toList();
    List<Moments> means =
        parameters.entrySet().stream()
            .map(e -> moments.computeIfAbsent(e.getKey(), _ -> start(e.getValue())))
            .toList();
    Rates rates = Rates.of(settings, steps, learningRate);
    Chunks chunks = Chunks.of(values);
    chunks
        .parallel()
        .forEach(i -> {
          Chunks.Chunk c = chunks.list().get(i);
          Moments m = means.get(c.tensor());
          rates.step(
              values.get(c.tensor()).data(),
              slopes.get(c.tensor()).data(),
              m.first.data(),
              m.second.data(),
              c.from(),
              c.to());
        });
  }

  private void check(String name, Tensor value, Tensor gradient) {
    int length = value.data().length;
    if (gradient == null || gradient.data().length != length) {
      throw new IllegalArgumentException(
          "the gradient of %s is %s, expected one of %s"
              .formatted(name, gradient == null ? "missing" : gradient.shape(), value.shape()));
    }
    Moments m = moments.get(name);
    if (steps > 0 && (m == null || m.first.data().length != length)) {
      throw new IllegalArgumentException(
          "the moments of %s after %d steps are %s, expected those of %s"
              .formatted(name, steps, m == null ? "missing" : m.first.shape(), value.shape()));
    }
  }

  private static Moments start(Tensor value) {
    return new Moments(Tensor.zeros(value.shape()), Tensor.zeros(value.shape()));
  }

  /** The factors of one step, in float32 as torch has them for float32 tensors. */
  private record Rates(
      float keep1,
      float add1,
      float keep2,
      float add2,
      float keep,
      float size,
      float root,
      float epsilon) {

    static Rates of(Settings s, long steps, double learningRate) {
      return new Rates(
          (float) s.beta1,
          (float) (1 - s.beta1),
          (float) s.beta2,
          (float) (1 - s.beta2),
          (float) (1 - learningRate * s.weightDecay),
          (float) (learningRate / (1 - Math.pow(s.beta1, steps))),
          (float) (1 / Math.sqrt(1 - Math.pow(s.beta2, steps))),
          (float) s.epsilon);
    }

    /** A plain loop over locals, which the compiler turns into vectors. */
    void step(float[] value, float[] gradient, float[] first, float[] second, int from, int to) {
      float k1 = keep1;
      float a1 = add1;
      float k2 = keep2;
      float a2 = add2;
      float k = keep;
      float s = size;
      float r = root;
      float e = epsilon;
      for (int i = from; i < to; i++) {
        float g = gradient[i];
        float m = k1 * first[i] + a1 * g;
        float v = k2 * second[i] + a2 * g * g;
        first[i] = m;
        second[i] = v;
        value[i] = k * value[i] - s * m / ((float) Math.sqrt(v) * r + e);
      }
    }
  }
}
