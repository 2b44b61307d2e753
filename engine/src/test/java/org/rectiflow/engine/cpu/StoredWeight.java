package org.rectiflow.engine.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.Floats;

/** Weights in narrow types for tests. */
final class StoredWeight {
  private StoredWeight() {}

  static Weight of(String name, DType dtype, Tensor tensor) {
    MemorySegment data = Arena.ofAuto().allocate((long) dtype.byteSize() * tensor.data().length, 8);
    Floats.write(tensor.data(), 0, tensor.data().length, data, dtype, 0);
    return new Weight(name, dtype, tensor.shape(), data);
  }
}
