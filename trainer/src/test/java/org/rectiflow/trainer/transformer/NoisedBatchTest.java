package org.rectiflow.trainer.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.Conversion;
import org.rectiflow.trainer.data.Encoded;

class NoisedBatchTest {
  private static final int N = 8;

  private static Encoded example() {
    float[] x0 = new float[N];
    for (int i = 0; i < N; i++) {
      x0[i] = 0.3f * i - 1;
    }
    return new Encoded(
        Tensor.of(x0, 1, 2, 2, 2),
        new PromptEmbedding(Tensor.zeros(Shape.of(1, 3, 4)), Tensor.zeros(Shape.of(1, 5))),
        "a caption");
  }

  private static float[] data(Map<String, Feed> feeds, String name) {
    return ((Feed.Floats) feeds.get(name)).tensor().data();
  }

  /** What the network is to answer must lead the sampler back to the data, whatever it means. */
  @Test
  void theTargetAndTheInputOfEveryFormulationDetermineTheData() {
    double largest = 0;
    for (Formulation formulation : Formulation.study()) {
      for (double t : new double[] {0.06, 0.5, 0.93}) {
        NoisedBatch batch = new NoisedBatch(formulation, 2, example());
        batch.put(1, example(), t, new SplittableRandom(7));
        Map<String, Feed> feeds = batch.feeds();
        assertThat(data(feeds, "timestep")).containsExactly(0, (float) (1000 * t));
        assertThat(data(feeds, "weight")[1]).isEqualTo(1);
        Conversion conversion = formulation.prediction().at(formulation.path(), t);
        double scale = formulation.prediction().inputScale(formulation.path(), t);
        double condition = Math.abs(conversion.data().ofZ()) / scale + 1;
        for (int i = 0; i < N; i++) {
          double z = data(feeds, "latent")[N + i] / scale;
          double x0 = conversion.data().apply(z, data(feeds, "target")[N + i]);
          double error = Math.abs(x0 - example().latent().data()[i]);
          largest = Math.max(largest, error / condition);
          assertThat(data(feeds, "latent")[i]).isZero();
        }
      }
    }
    System.out.println("formulations: largest scaled difference of the data " + largest);
    assertThat(largest).isLessThan(2e-6);
  }

  @Test
  void theLossIsTheWeighedMeanOfSquares() {
    Formulation formulation = Formulation.parse("rf+weight(cosmap)");
    NoisedBatch batch = new NoisedBatch(formulation, 2, example());
    batch.put(1, example(), 0.25, new SplittableRandom(7));
    float[] target = data(batch.feeds(), "target");
    float[] answer = target.clone();
    for (int i = 0; i < N; i++) {
      answer[N + i] += 0.5f;
    }
    double weight = 2 / (Math.PI * (1 - 0.5 + 0.125));
    assertThat(batch.loss(Tensor.of(answer, 2, 2, 2, 2), 1)).isCloseTo(0.25 * weight, within(1e-6));
    assertThat(batch.loss(Tensor.of(answer, 2, 2, 2, 2), 0)).isZero();
  }
}
