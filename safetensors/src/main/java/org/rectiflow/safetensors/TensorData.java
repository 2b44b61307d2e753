package org.rectiflow.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Produces the bytes of one tensor while {@link SafetensorsWriter} writes it. */
@FunctionalInterface
public interface TensorData {

  /** Where the bytes go, in order and in pieces of any size. */
  interface Sink {

    /**
     * Appends bytes in the tensor's dtype, little-endian.
     *
     * @throws SafetensorsException when the tensor would become longer than its shape says
     * @throws IOException when the disk fails
     */
    void write(MemorySegment bytes) throws IOException;

    /**
     * Narrows {@code values[at...]} to the tensor's dtype as {@link Floats} does, and appends them.
     *
     * @throws SafetensorsException when the tensor would become longer than its shape says
     * @throws IllegalArgumentException when the dtype is not {@linkplain DType#isWidenable
     *     widenable}
     * @throws IOException when the disk fails
     */
    void write(float[] values, int at, int count) throws IOException;
  }

  /** Writes the whole tensor: exactly as many bytes as its shape and dtype say. */
  void writeTo(Sink sink) throws IOException;
}
