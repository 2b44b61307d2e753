package org.rectiflow.tornado;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;
import org.rectiflow.engine.Weight;
import org.rectiflow.safetensors.DType;
import org.rectiflow.tornado.Launch.Task;

/**
 * Values that go to the device.
 *
 * @param storage MEM, or the storage of an array of weights
 * @param array which array of that storage
 * @param offset first element there
 * @param count elements
 * @param source the elements' bytes as the device stores them, produced when they are sent
 */
record Upload(Storage storage, int array, int offset, long count, Supplier<MemorySegment> source) {

  /** Floats for {@code mem}. */
  static Upload floats(int offset, float[] values) {
    return new Upload(Storage.MEM, 0, offset, values.length, () -> MemorySegment.ofArray(values));
  }

  /** A parameter for {@code mem}, widened. */
  static Upload widened(int offset, Weight weight) {
    return new Upload(
        Storage.MEM,
        0,
        offset,
        weight.shape().count(),
        () -> MemorySegment.ofArray(weight.toFloats()));
  }

  /** A parameter for an array of weights, as it is stored if the device can read that. */
  static Upload stored(Storage storage, int array, int offset, Weight weight) {
    return new Upload(
        storage,
        array,
        offset,
        weight.shape().count(),
        () ->
            switch (weight.dtype()) {
              case F32, F16, BF16 -> weight.data();
              case F8_E4M3, F8_E5M2 -> halves(weight.toFloats());
              default -> MemorySegment.ofArray(weight.toFloats());
            });
  }

  /** The storage a weight gets: 8-bit floats become F16, which holds them exactly. */
  static Storage storageOf(DType dtype) {
    return switch (dtype) {
      case F16, F8_E4M3, F8_E5M2 -> Storage.F16;
      case BF16 -> Storage.BF16;
      default -> Storage.F32;
    };
  }

  /** Bytes that cross the bus. */
  long bytes() {
    return count * (storage.isShort() ? Short.BYTES : Float.BYTES);
  }

  /** Whether this goes to the same kind of array as a weight of that storage. */
  boolean sharesArrays(Storage other) {
    return storage.isShort() == other.isShort();
  }

  /** The kernel that takes the values from the bus. */
  Task task() {
    return switch (storage) {
      case NONE, MEM -> new Task(Kernel.LOAD);
      case F32 -> new Task(Kernel.LOAD_WEIGHTS, Storage.F32, array);
      case F16, BF16 -> new Task(Kernel.LOAD_WEIGHTS, Storage.F16, array);
    };
  }

  private static MemorySegment halves(float[] values) {
    MemorySegment halves = MemorySegment.ofArray(new short[values.length]);
    for (int i = 0; i < values.length; i++) {
      halves.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(values[i]));
    }
    return halves;
  }
}
