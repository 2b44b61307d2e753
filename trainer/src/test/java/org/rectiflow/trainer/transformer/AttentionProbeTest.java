package org.rectiflow.trainer.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.AttentionStatistics;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.EncodedData;

class AttentionProbeTest {
  private static final int HEADS = 2;
  private static final int WIDTH = 8;

  /** Two attentions in which context tokens look at themselves; the second has tenfold queries. */
  private static final class Looking implements VelocityModel {
    @Override
    public MmditConfig config() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Graph graph(int batch, int height, int width, int contextTokens, boolean taps) {
      Graph g = new Graph();
      g.input("timestep", batch);
      g.input("pooled", batch, 1);
      Value latent = g.input("latent", batch, 1, height, width);
      Value c = g.input("context", batch, contextTokens, WIDTH);
      Value first = g.jointAttention(HEADS, List.of(new Qkv(c, c, c))).getFirst();
      Value ten = g.affine(c, 10, 0);
      List<Value> both = g.jointAttention(HEADS, List.of(new Qkv(ten, c, c), new Qkv(c, c, c)));
      Value used = g.mean(g.add(first, both.getFirst()));
      g.output("velocity", g.add(latent, g.affine(used, 0, 0)));
      return g;
    }
  }

  /** One example whose context is drawn once. */
  private record One(Encoded get) implements EncodedData {
    @Override
    public int size() {
      return 1;
    }

    @Override
    public Encoded get(int index) {
      return get;
    }
  }

  @Test
  void findsTheLargestLogitAndTheMeanEntropyOfEachAttention() {
    int tokens = 5;
    float[] c = new float[tokens * WIDTH];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < c.length; i++) {
      c[i] = (float) random.nextGaussian();
    }
    Encoded example =
        new Encoded(
            Tensor.of(new float[4], 1, 1, 2, 2),
            new PromptEmbedding(Tensor.of(c, 1, tokens, WIDTH), Tensor.of(new float[1], 1, 1)),
            "a caption");
    AttentionStatistics found;
    try (Backend backend = Backends.open("cpu", new BackendProvider.Options(1))) {
      found =
          AttentionProbe.of(
              new Looking(), Formulation.parse("rf"), new One(example), 3, backend, Map.of());
    }
    double[] first = expected(c, new double[] {1}, tokens);
    double[] second = expected(c, new double[] {10, 1}, tokens);
    System.out.printf("attention: logits %s, entropies %s%n", found.maxLogit(), found.entropy());
    assertThat(found.maxLogit().get(0)).isCloseTo(first[0], within(1e-5));
    assertThat(found.entropy().get(0)).isCloseTo(first[1], within(1e-6));
    assertThat(found.maxLogit().get(1)).isCloseTo(second[0], within(1e-4));
    assertThat(found.entropy().get(1)).isCloseTo(second[1], within(1e-6));
  }

  /** By the definition: -sum p ln p of each row, softmax without tricks. */
  private static double[] expected(float[] c, double[] queryScales, int tokens) {
    int size = WIDTH / HEADS;
    double max = Double.NEGATIVE_INFINITY;
    double entropy = 0;
    int rows = 0;
    for (int h = 0; h < HEADS; h++) {
      for (double scale : queryScales) {
        for (int i = 0; i < tokens; i++) {
          double[] e = new double[tokens];
          double sum = 0;
          for (int j = 0; j < tokens; j++) {
            double dot = 0;
            for (int k = 0; k < size; k++) {
              dot += scale * c[i * WIDTH + h * size + k] * c[j * WIDTH + h * size + k];
            }
            double logit = dot / Math.sqrt(size);
            max = Math.max(max, logit);
            e[j] = Math.exp(logit);
            sum += e[j] * queryScales.length;
          }
          for (int j = 0; j < tokens; j++) {
            double p = e[j] / sum;
            entropy -= queryScales.length * p * Math.log(p);
          }
          rows++;
        }
      }
    }
    return new double[] {max, entropy / rows};
  }
}
