package org.rectiflow.pipeline.convert;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.TensorData;
import org.rectiflow.scheduler.FlowMatchConfig;

/**
 * Writes checkpoints of the released sizes with random weights: for measuring time and memory, and
 * for trying out tools, where the real weights are not at hand. What they draw is noise.
 *
 * <p>Norms scale by one, biases are zero, matrices and kernels are uniform with a deviation of half
 * of {@code 1/sqrt(inputs)}, so that activations neither vanish nor overflow.
 *
 * @param release whose sizes
 * @param blocks blocks of the transformer, no more than the release's
 * @param dtypes the type of each part to write
 * @param sparse leave matrices out as holes in the file, which read as zeros and take no space
 * @param seed of the values
 */
public record RandomModel(
    Release release, int blocks, Map<Part, DType> dtypes, boolean sparse, long seed) {
  private static final int BLOCK = 1_048_573; // a prime, so that no row of a matrix repeats soon
  private static final double GAIN = 0.5;
  private static final double UNIFORM_DEVIATION = Math.sqrt(1.0 / 3);

  /** Checks the types. */
  public RandomModel {
    dtypes.values().forEach(WeightTypes::require);
  }

  /** Writes to {@code target}, which must not exist. */
  public void write(Path target, TargetLayout layout, Progress progress) throws IOException {
    Map<Part, List<TensorPlan>> parts = new EnumMap<>(Part.class);
    Map<String, String> configs = new TreeMap<>();
    float[] block = block();
    dtypes.forEach((part, dtype) -> {
      List<TensorPlan> tensors = new ArrayList<>();
      release
          .shapes(part, layout.names(), blocks)
          .forEach((name, shape) -> tensors.add(tensor(name, shape, dtype, block)));
      parts.put(part, tensors);
      configs.put(part.folder() + "/config.json", Json.pretty(release.config(part, blocks)));
    });
    configs.put(
        "scheduler/scheduler_config.json",
        Json.pretty(DiffusersConfigs.scheduler(FlowMatchConfig.builder().shift(3).build())));
    configs.put("model_index.json", Json.pretty(DiffusersConfigs.modelIndex(dtypes.keySet())));
    Map<String, String> kept = layout == TargetLayout.DIFFUSERS ? configs : Map.of();
    ModelPlan plan = new ModelPlan(parts, Map.of("format", "pt"), kept, Map.of());
    new ModelWriter(plan.with(progress), List.of(), OptionalLong.empty()).write(target, layout);
  }

  /** Bytes of all tensors; the headers come on top. */
  public long bytes() {
    long bits = 0;
    for (Map.Entry<Part, DType> part : dtypes.entrySet()) {
      for (List<Long> shape :
          release.shapes(part.getKey(), TargetLayout.DIFFUSERS.names(), blocks).values()) {
        bits += elements(shape) * part.getValue().bits();
      }
    }
    return bits / 8;
  }

  /** Uniform values in [-1, 1): every tensor takes them from a place of its own on. */
  private float[] block() {
    SplittableRandom random = new SplittableRandom(seed);
    float[] block = new float[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      block[i] = 2 * (float) random.nextDouble() - 1;
    }
    return block;
  }

  private TensorPlan tensor(String name, List<Long> shape, DType dtype, float[] block) {
    if (shape.size() == 1) {
      // A norm's weight is a vector; so is every bias.
      DType own = dtype.bits() == 8 ? DType.F16 : dtype;
      return name.endsWith(".weight")
          ? new TensorPlan(name, own, shape, sink -> ones(sink, shape.getFirst()))
          : new TensorPlan(name, own, shape, null);
    }
    if (sparse) {
      return new TensorPlan(name, dtype, shape, null);
    }
    float scale = (float) (deviation(name, shape) / UNIFORM_DEVIATION);
    int start = new SplittableRandom(seed ^ name.hashCode()).nextInt(BLOCK);
    long count = elements(shape);
    return new TensorPlan(name, dtype, shape, sink -> values(sink, block, start, scale, count));
  }

  /**
   * The rows of a table are looked up and not summed. The layers of the embedders are no tables: as
   * such they would make modulations so large that every softmax becomes one key.
   */
  static double deviation(String name, List<Long> shape) {
    boolean table =
        name.endsWith("pos_embed")
            || name.endsWith("embedding.weight")
            || name.endsWith("embed_tokens.weight");
    long inputs = elements(shape.subList(1, shape.size()));
    return table ? GAIN : GAIN / Math.sqrt((double) inputs);
  }

  private static long elements(List<Long> shape) {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  private static void ones(TensorData.Sink sink, long count) throws IOException {
    float[] values = new float[Math.toIntExact(count)];
    Arrays.fill(values, 1);
    sink.write(values, 0, values.length);
  }

  private static void values(
      TensorData.Sink sink, float[] block, int start, float scale, long count) throws IOException {
    float[] scaled = new float[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      scaled[i] = scale * block[i];
    }
    int at = start;
    for (long left = count; left > 0; ) {
      int n = (int) Math.min(left, BLOCK - at);
      sink.write(scaled, at, n);
      left -= n;
      at = (at + n) % BLOCK;
    }
  }
}
