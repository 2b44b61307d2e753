package org.rectiflow.pipeline.io;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/** The engine's tensors to and from safetensors files. */
public final class TensorFiles {
  private TensorFiles() {}

  /** A float tensor, widened. */
  public static Tensor read(TensorSource source, String name) {
    return Tensor.of(source.floats(name), dims(source, name));
  }

  /** An integer tensor. */
  public static IntTensor readInts(TensorSource source, String name) {
    long[] values = source.integers(name);
    int[] ints = new int[values.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = Math.toIntExact(values[i]);
    }
    return IntTensor.of(ints, dims(source, name));
  }

  private static int[] dims(TensorSource source, String name) {
    return source.info(name).shape().stream().mapToInt(Math::toIntExact).toArray();
  }

  /** Adds a tensor, F32. */
  public static void add(SafetensorsWriter writer, String name, Tensor tensor) {
    writer.add(
        name,
        DType.F32,
        longs(tensor.shape()),
        sink -> sink.write(tensor.data(), 0, tensor.data().length));
  }

  /** Adds a tensor, I32. */
  public static void add(SafetensorsWriter writer, String name, IntTensor tensor) {
    MemorySegment bytes = MemorySegment.ofArray(tensor.data());
    writer.add(name, DType.I32, longs(tensor.shape()), sink -> sink.write(bytes));
  }

  private static List<Long> longs(Shape shape) {
    return IntStream.of(shape.dims()).mapToObj(d -> (long) d).toList();
  }

  /** Writes tensors, F32, and metadata. */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
    SafetensorsWriter writer = new SafetensorsWriter().metadata(metadata);
    tensors.forEach((name, tensor) -> add(writer, name, tensor));
    writer.write(file);
  }
}
