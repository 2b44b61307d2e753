package org.rectiflow.pipeline.verify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.verify.Comparison.Rule;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/**
 * Recomputes the tensors of a golden file and compares. A golden file holds, for each case named in
 * its metadata, tensors {@code CASE.NAME}; {@link CaseNumbers} says which names there are. {@link
 * GradientNumbers} does for files of losses and gradients.
 */
public final class Verifier {
  private static final double NETWORK = 1e-4;
  private static final double LATENTS = 5e-4;
  private static final double TIMES = 1e-6;

  private final TensorSource golden;
  private final NumberSource numbers;
  private final SafetensorsWriter dump = new SafetensorsWriter();
  private final List<String> unknown = new ArrayList<>();
  private final List<String> leftOut = new ArrayList<>();
  private final List<Comparison> comparisons = new ArrayList<>();

  Verifier(TensorSource golden, NumberSource numbers) {
    this.golden = golden;
    this.numbers = numbers;
  }

  /** Where recomputed tensors come from. */
  interface NumberSource {
    /** A tensor by its golden name: {@link Tensor}, {@link IntTensor}, or why there is none. */
    Result compute(String name);

    /** What relative differences are held against if it is more than the tensor's largest value. */
    default double size(String name) {
      return 0;
    }
  }

  /** What became of a name. */
  sealed interface Result {
    /** Float values. */
    record Floats(Tensor tensor) implements Result {}

    /** Integer values. */
    record Ints(IntTensor tensor) implements Result {}

    /** A tensor that this model or version cannot answer, with the reason. */
    record LeftOut(String why) implements Result {}

    /** A name that is not of the known form. */
    record Unknown() implements Result {}
  }

  /** Works through all names; {@code report} hears each comparison as it is made. */
  void run(Consumer<Comparison> report) {
    for (String name : golden.tensors().keySet().stream().sorted().toList()) {
      switch (numbers.compute(name)) {
        case Result.Floats(Tensor tensor) -> {
          TensorFiles.add(dump, name, tensor);
          add(report, name, tensor.shape(), tensor.data(), golden(name));
        }
        case Result.Ints(IntTensor tensor) -> {
          TensorFiles.add(dump, name, tensor);
          IntTensor expected = TensorFiles.readInts(golden, name);
          add(
              report,
              name,
              tensor.shape(),
              floats(tensor),
              new Tensor(expected.shape(), floats(expected)));
        }
        case Result.LeftOut(String why) -> leftOut.add(name + ": " + why);
        case Result.Unknown() -> unknown.add(name);
      }
    }
  }

  private Tensor golden(String name) {
    return TensorFiles.read(golden, name);
  }

  private static float[] floats(IntTensor ints) {
    float[] floats = new float[ints.data().length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = ints.data()[i]; // ids are below 2^24
    }
    return floats;
  }

  private void add(
      Consumer<Comparison> report, String name, Shape shape, float[] actual, Tensor expected) {
    Comparison comparison;
    if (!shape.equals(expected.shape())) {
      leftOut.add(name + ": our shape is " + shape + ", the golden file's " + expected.shape());
      comparison =
          new Comparison(name, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 0, Rule.EQUAL);
    } else {
      Rule rule = rule(name);
      comparison =
          Comparison.of(
              name, actual, expected.data(), rule, tolerance(name, rule), numbers.size(name));
    }
    comparisons.add(comparison);
    report.accept(comparison);
  }

  private static Rule rule(String name) {
    String last = name.substring(name.lastIndexOf('.') + 1);
    if (name.contains(".ids.") || last.equals("noise")) {
      return Rule.EQUAL;
    }
    if (Set.of("sigmas", "timesteps").contains(last)) {
      return Rule.ABSOLUTE;
    }
    return last.equals("image") && !name.contains(".block") ? Rule.LEVELS : Rule.RELATIVE;
  }

  private static double tolerance(String name, Rule rule) {
    return switch (rule) {
      case EQUAL -> 0;
      case LEVELS -> 1;
      // Timesteps are a thousand times as large as sigmas.
      case ABSOLUTE -> name.endsWith("timesteps") ? 1000 * TIMES : TIMES;
      case RELATIVE -> name.endsWith(".latents") ? LATENTS : NETWORK;
    };
  }

  /** All comparisons made. */
  List<Comparison> comparisons() {
    return comparisons;
  }

  /** Names that are not of the known form. */
  List<String> unknown() {
    return unknown;
  }

  /** Tensors that could not be answered, each with the reason. */
  List<String> leftOut() {
    return leftOut;
  }

  /** Our tensors, to be written. */
  SafetensorsWriter dump() {
    return dump;
  }

  /** Keeps what was computed last under a key. */
  static final class Memo<K, V> {
    private final Map<K, V> values = new LinkedHashMap<>();

    V get(K key, java.util.function.Function<K, V> compute) {
      V known = values.get(key);
      if (known == null) {
        known = compute.apply(key);
        values.put(key, known);
      }
      return known;
    }
  }
}
