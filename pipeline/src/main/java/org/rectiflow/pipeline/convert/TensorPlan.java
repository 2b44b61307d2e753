package org.rectiflow.pipeline.convert;

import java.util.List;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorData;

/**
 * A tensor to be written.
 *
 * @param name in the target, without the prefix of its part
 * @param data makes its bytes when they are written; null for zeros, which leave a hole in the file
 */
record TensorPlan(String name, DType dtype, List<Long> shape, TensorData data) {

  void addTo(SafetensorsWriter writer, String prefix) {
    if (data == null) {
      writer.addZeros(prefix + name, dtype, shape);
    } else {
      writer.add(prefix + name, dtype, shape, data);
    }
  }

  /** The same, telling {@code written} when it is on its way to the disk. */
  TensorPlan with(Runnable written) {
    return data == null
        ? this
        : new TensorPlan(
            name,
            dtype,
            shape,
            sink -> {
              data.writeTo(sink);
              written.run();
            });
  }

  /** Bytes it takes. */
  long bytes() {
    return dtype.byteSize(shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact));
  }
}
