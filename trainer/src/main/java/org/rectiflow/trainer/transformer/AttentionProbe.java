package org.rectiflow.trainer.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.AttentionStatistics;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.trainer.data.Randoms;

/**
 * Looks into the attentions of any model, as the paper's Figure 5 does: queries and keys of each
 * become outputs of a graph, and the logits are computed here, row by row. Examples and noise are
 * always the same, at timesteps spread over (0, 1).
 */
final class AttentionProbe {
  private static final long NOISE_SEED = 0;

  private AttentionProbe() {}

  /** One attention of the graph. */
  private record Probed(Op.Attention op, int number) {
    String output(char kind, int stream) {
      return "attention%d.%s%d".formatted(number, kind, stream);
    }
  }

  /**
   * Measures the model with these values.
   *
   * @param samples how many examples
   */
  static AttentionStatistics of(
      VelocityModel model,
      Formulation formulation,
      EncodedData data,
      int samples,
      Backend backend,
      Map<String, Tensor> values) {
    int batch = Math.min(samples, data.size());
    Graph graph = TransformerValidation.graph(model, batch, data.get(0), values).graph();
    List<Probed> attentions = tap(graph);
    NoisedBatch noised = new NoisedBatch(formulation, batch, data.get(0));
    for (int i = 0; i < batch; i++) {
      double t = (i + 0.5) / batch;
      noised.put(i, data.get(i), t, Randoms.of(NOISE_SEED, "attention", i));
    }
    try (Executable executable = backend.compile("attention probe", graph)) {
      Map<String, Tensor> outputs = executable.run(ValueGraph.feeds(noised.inputs(), values));
      List<Double> logits = new ArrayList<>();
      List<Double> entropies = new ArrayList<>();
      for (Probed attention : attentions) {
        Rows rows = new Rows();
        rows.add(joined(attention, 'q', outputs), joined(attention, 'k', outputs), attention.op());
        logits.add(rows.max);
        entropies.add(rows.entropy / rows.count);
      }
      return new AttentionStatistics(logits, entropies);
    }
  }

  private static List<Probed> tap(Graph graph) {
    List<Probed> attentions = new ArrayList<>();
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.op() instanceof Op.Attention op) {
        Probed probed = new Probed(op, attentions.size());
        attentions.add(probed);
        for (int s = 0; s < op.streams(); s++) {
          graph.output(probed.output('q', s), node.inputs().get(3 * s));
          graph.output(probed.output('k', s), node.inputs().get(3 * s + 1));
        }
      }
    }
    return attentions;
  }

  /** All streams' tokens, [B, T, C]. */
  private static Tensor joined(Probed attention, char kind, Map<String, Tensor> outputs) {
    List<Tensor> streams = new ArrayList<>();
    for (int s = 0; s < attention.op().streams(); s++) {
      streams.add(outputs.get(attention.output(kind, s)));
    }
    int batch = streams.getFirst().shape().dim(0);
    int width = streams.getFirst().shape().dim(2);
    int tokens = streams.stream().mapToInt(t -> t.shape().dim(1)).sum();
    float[] all = new float[batch * tokens * width];
    int at = 0;
    for (int b = 0; b < batch; b++) {
      for (Tensor stream : streams) {
        int n = stream.shape().dim(1) * width;
        System.arraycopy(stream.data(), b * n, all, at, n);
        at += n;
      }
    }
    return Tensor.of(all, batch, tokens, width);
  }

  /** Sums over the rows of attention matrices. */
  private static final class Rows {
    private double max = Double.NEGATIVE_INFINITY;
    private double entropy;
    private long count;

    void add(Tensor q, Tensor k, Op.Attention op) {
      int batch = q.shape().dim(0);
      int tokens = q.shape().dim(1);
      double[] logits = new double[tokens];
      for (int b = 0; b < batch; b++) {
        for (int h = 0; h < op.heads(); h++) {
          for (int row = 0; row < tokens; row++) {
            int keys = op.causal() ? row + 1 : tokens;
            logits(q, k, op, b, h, row, keys, logits);
            addRow(logits, keys);
          }
        }
      }
    }

    private static void logits(
        Tensor q, Tensor k, Op.Attention op, int b, int h, int row, int keys, double[] out) {
      int tokens = q.shape().dim(1);
      int width = q.shape().dim(2);
      int size = width / op.heads();
      int query = (b * tokens + row) * width + h * size;
      for (int j = 0; j < keys; j++) {
        int key = (b * tokens + j) * width + h * size;
        double sum = 0;
        for (int c = 0; c < size; c++) {
          sum += (double) q.data()[query + c] * k.data()[key + c];
        }
        out[j] = op.scale() * sum;
      }
    }

    /** The entropy of a softmax is ln(sum of e^l) minus the mean logit under it. */
    private void addRow(double[] logits, int keys) {
      double largest = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < keys; j++) {
        largest = Math.max(largest, logits[j]);
      }
      double sum = 0;
      double mean = 0;
      for (int j = 0; j < keys; j++) {
        double e = Math.exp(logits[j] - largest);
        sum += e;
        mean += e * (logits[j] - largest);
      }
      max = Math.max(max, largest);
      entropy += Math.log(sum) - mean / sum;
      count++;
    }
  }
}
