package org.rectiflow.pipeline.convert;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Weight;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.Floats;
import org.rectiflow.safetensors.TensorData;
import org.rectiflow.safetensors.TensorInfo;
import org.rectiflow.safetensors.TensorSource;

/**
 * A tensor of the target as it lies in the source: one after the other, pieces of mapped files.
 *
 * @param source the files, asked whether they were cut short
 */
record StoredTensor(String name, List<Long> shape, List<Weight> pieces, TensorSource source) {
  private static final int CHUNK = 1 << 20;

  static StoredTensor of(String name, Weight weight, TensorSource source) {
    return new StoredTensor(name, dims(weight.shape()), List.of(weight), source);
  }

  static StoredTensor of(TensorInfo info, TensorSource source) {
    int[] dims = info.shape().stream().mapToInt(Math::toIntExact).toArray();
    MemorySegment data = source.data(info.name());
    return of(info.name(), new Weight(info.name(), info.dtype(), Shape.of(dims), data), source);
  }

  static List<Long> dims(Shape shape) {
    return IntStream.of(shape.dims()).mapToObj(d -> (long) d).toList();
  }

  /** The stored type; F32, which holds every other exactly, where the pieces differ. */
  DType dtype() {
    List<DType> dtypes = pieces.stream().map(Weight::dtype).distinct().toList();
    return dtypes.size() == 1 ? dtypes.getFirst() : DType.F32;
  }

  /** The tensor written in another type, or in its own. */
  TensorPlan as(DType target) {
    return new TensorPlan(name, target, shape, sink -> write(sink, target));
  }

  private void write(TensorData.Sink sink, DType target) throws IOException {
    for (Weight piece : pieces) {
      if (piece.dtype() == target) {
        sink.write(piece.data());
      } else {
        convert(piece, sink, target);
      }
    }
  }

  private void convert(Weight piece, TensorData.Sink sink, DType target) throws IOException {
    MemorySegment data = piece.data();
    long count = piece.shape().count();
    float largest = largest(target);
    float[] values = new float[(int) Math.min(count, CHUNK)];
    for (long at = 0; at < count; at += values.length) {
      long first = at;
      int n = (int) Math.min(values.length, count - at);
      source.guarded(() -> {
        Floats.read(data, piece.dtype(), first, values, 0, n);
        return null;
      });
      for (int i = 0; i < n; i++) {
        if (Math.abs(values[i]) > largest && Float.isFinite(values[i])) {
          throw new UserException(
              "%s: tensor %s has the value %s, but %s ends at %s. Convert to F32 or BF16, or leave this part as it is."
                  .formatted(source.path(), piece.name(), values[i], target, largest));
        }
      }
      sink.write(values, 0, n);
    }
  }

  /** The largest finite value of a type. */
  private static float largest(DType dtype) {
    return switch (dtype) {
      case F16 -> 65504;
      case F8_E4M3 -> 448;
      case F8_E5M2 -> 57344;
      default -> Float.MAX_VALUE;
    };
  }
}
