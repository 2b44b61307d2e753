package org.rectiflow.trainer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.Randoms;
import org.rectiflow.training.Objective;

/** The smallest task there is: y = W x + b, learnt from noisy points. */
class ToyTask implements Task {
  static final int INPUTS = 3;
  static final int OUTPUTS = 2;

  private final Settings settings;
  private final Objective objective;

  ToyTask(Settings settings) {
    this.settings = settings;
    Graph g = new Graph();
    Value x = g.input("x", batchSize(), INPUTS);
    Value y = g.input("y", batchSize(), OUTPUTS);
    Value w = g.input("w", OUTPUTS, INPUTS);
    Value b = g.input("b", OUTPUTS);
    Value loss = g.meanSquaredError(g.linear(x, w, b), y);
    List<Value> gradients = Gradients.of(g, loss, List.of(w, b));
    g.output(Objective.LOSS, loss);
    g.output(Objective.GRADIENT + "w", gradients.get(0));
    g.output(Objective.GRADIENT + "b", gradients.get(1));
    Map<String, Tensor> start = new LinkedHashMap<>();
    start.put("w", Tensor.of(new float[OUTPUTS * INPUTS], OUTPUTS, INPUTS));
    start.put("b", Tensor.of(new float[OUTPUTS], OUTPUTS));
    objective = new Objective(g, start);
  }

  /** Settings from the lines of a run file, with what the toy needs to be quick. */
  static Settings settings(String... lines) {
    List<Key<?>> keys = LoopKeys.ALL;
    return RunFile.parse("toy.toml", String.join("\n", lines)).settings(keys);
  }

  @Override
  public Objective objective(Recompute recompute) {
    return objective;
  }

  @Override
  public int batchSize() {
    return settings.number(LoopKeys.BATCH);
  }

  @Override
  public Map<String, Feed> batch(long step, int part) {
    int n = batchSize();
    long first = ((step - 1) * settings.get(LoopKeys.ACCUMULATION) + part) * n;
    float[] x = new float[n * INPUTS];
    float[] y = new float[n * OUTPUTS];
    for (int i = 0; i < n; i++) {
      RandomGenerator random = Randoms.of(settings.get(LoopKeys.SEED), "sample", first + i);
      for (int j = 0; j < INPUTS; j++) {
        x[i * INPUTS + j] = (float) random.nextGaussian();
      }
      y[i * OUTPUTS] = x[i * INPUTS] + 2 * x[i * INPUTS + 1] + 0.1f * (float) random.nextGaussian();
      y[i * OUTPUTS + 1] = 1 - x[i * INPUTS + 2];
    }
    return Map.of("x", Feed.of(Tensor.of(x, n, INPUTS)), "y", Feed.of(Tensor.of(y, n, OUTPUTS)));
  }

  @Override
  public void observe(Map<String, Feed> batch, Map<String, Tensor> outputs, Meter meter) {
    meter.add("first x", ((Feed.Floats) batch.get("x")).tensor().data()[0]);
  }

  @Override
  public Validation validate(Map<String, Tensor> parameters) {
    float[] w = parameters.get("w").data();
    float[] truth = {1, 2, 0, 0, 0, -1};
    double sum = 0;
    for (int i = 0; i < w.length; i++) {
      sum += (w[i] - truth[i]) * (w[i] - truth[i]);
    }
    return new Validation(sum, Map.of("w0", (double) w[0]));
  }

  @Override
  public List<String> sample(Path folder, Map<String, Tensor> parameters) throws IOException {
    Files.writeString(folder.resolve("w.txt"), List.of(parameters.get("w").data()[0]).toString());
    return new ArrayList<>(List.of("w.txt"));
  }

  @Override
  public void writeModel(Path folder, Map<String, Tensor> parameters) throws IOException {
    TensorFiles.write(folder.resolve("model.safetensors"), parameters, Map.of());
  }

  @Override
  public void close() {}
}
