package org.rectiflow.trainer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.rectiflow.engine.Tensor;

/**
 * An exponential moving average of the trained tensors, which begins as a copy of them. The paper
 * updates it every 100 batches with decay 0.99 (Appendix B.3) and samples with it.
 */
final class MovingAverage {
  private final double decay;
  private final Map<String, Tensor> averages = new LinkedHashMap<>();

  MovingAverage(double decay, Map<String, Tensor> parameters) {
    this.decay = decay;
    parameters.forEach(
        (name, value) -> averages.put(name, new Tensor(value.shape(), value.data().clone())));
  }

  /**
   * average = decay average + (1 - decay) value, written so that an average of equal values stays
   * what it is.
   */
  void update(Map<String, Tensor> parameters) {
    float add = (float) (1 - decay);
    averages.entrySet().parallelStream()
        .forEach(entry -> {
          float[] average = entry.getValue().data();
          float[] value = parameters.get(entry.getKey()).data();
          for (int i = 0; i < average.length; i++) {
            average[i] += add * (value[i] - average[i]);
          }
        });
  }

  /** The averages by name; updates change them in place. */
  Map<String, Tensor> values() {
    return Collections.unmodifiableMap(averages);
  }
}
