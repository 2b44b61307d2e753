package org.rectiflow.training;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.safetensors.TensorSource;

/**
 * Our side of {@code compare_pytorch.py}: takes one training step of a transformer for each line
 * {@code step} on standard input and answers with its milliseconds and loss, with a table for
 * {@code profile}, and with the peak memory of the process for {@code memory}.
 *
 * <p>Arguments: the transformer's safetensors file, one with the batch ({@code latent}, {@code
 * timestep}, {@code context}, {@code pooled}, {@code target}, {@code weight}), threads.
 */
final class TrainingSteps implements AutoCloseable {
  private static final double LEARNING_RATE = 1e-4;
  private static final double CLIP = 1;
  private static final float DECAY = 0.999f;
  private static final List<String> DATA =
      List.of("latent", "timestep", "context", "pooled", "target", "weight");

  private final Map<String, Tensor> data = new HashMap<>();
  private final TensorSource weights;
  private final Backend backend;
  private final Objective objective;
  private final Executable executable;
  private final AdamW optimizer = new AdamW(AdamW.Settings.TORCH);
  private final Map<String, Tensor> average = new HashMap<>();

  private TrainingSteps(Path model, Path batch, int threads) {
    try (TensorSource values = TensorSource.open(batch)) {
      DATA.forEach(name -> data.put(name, GradientsGoldenTest.tensor(values, name)));
    }
    weights = TensorSource.open(model);
    StoredWeights stored = new StoredWeights(weights);
    Tensor latent = data.get("latent");
    objective =
        TransformerObjective.of(
            new Mmdit(MmditConfig.of(stored), stored),
            latent.shape().dim(0),
            latent.shape().dim(2),
            latent.shape().dim(3),
            data.get("context").shape().dim(1));
    backend = new CpuBackend(threads);
    executable = backend.compile("step", objective.graph());
    objective
        .parameters()
        .forEach((name, t) -> average.put(name, new Tensor(t.shape(), t.data().clone())));
  }

  public static void main(String[] args) throws IOException {
    try (TrainingSteps steps =
            new TrainingSteps(Path.of(args[0]), Path.of(args[1]), Integer.parseInt(args[2]));
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.printf("ready %d%n", steps.executable.arenaBytes());
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        steps.answer(line);
        System.out.flush();
      }
    }
  }

  private void answer(String line) throws IOException {
    switch (line) {
      case "step" -> {
        long start = System.nanoTime();
        double loss = step();
        System.out.printf(Locale.ROOT, "%.3f %.9g%n", (System.nanoTime() - start) * 1e-6, loss);
      }
      case "forget" -> {
        backend.profile().forgetRuns();
        System.out.println("forgotten");
      }
      case "profile" -> profile();
      case "memory" ->
          System.out.println(
              Files.readAllLines(Path.of("/proc/self/status")).stream()
                  .filter(status -> status.startsWith("VmHWM"))
                  .findFirst()
                  .orElseThrow());
      default -> throw new IllegalArgumentException("step, profile or memory, not " + line);
    }
  }

  private double step() {
    Objective.Result result = objective.evaluate(executable, data);
    GradientNorm.clip(result.gradients(), CLIP);
    optimizer.step(objective.parameters(), result.gradients(), LEARNING_RATE);
    List<Map.Entry<String, Tensor>> all = List.copyOf(objective.parameters().entrySet());
    Chunks chunks = Chunks.of(all.stream().map(Map.Entry::getValue).toList());
    chunks
        .parallel()
        .forEach(i -> {
          Chunks.Chunk c = chunks.list().get(i);
          var entry = all.get(c.tensor());
          follow(average.get(entry.getKey()).data(), entry.getValue().data(), c.from(), c.to());
        });
    return result.loss();
  }

  private static void follow(float[] average, float[] value, int from, int to) {
    for (int i = from; i < to; i++) {
      average[i] += (1 - DECAY) * (value[i] - average[i]);
    }
  }

  private void profile() {
    for (Profile.Entry entry : backend.profile().byOp()) {
      System.out.printf(
          Locale.ROOT,
          "%-40s %5d runs %9.2f ms %8.1f GFLOP/s %7.1f GB/s%n",
          entry.op(),
          entry.runs(),
          entry.nanos() * 1e-6,
          entry.gflops(),
          entry.gigabytesPerSecond());
    }
    System.out.println();
  }

  @Override
  public void close() {
    executable.close();
    backend.close();
    weights.close();
  }
}
