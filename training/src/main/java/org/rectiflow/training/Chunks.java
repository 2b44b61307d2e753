package org.rectiflow.training;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.rectiflow.engine.Tensor;

/**
 * Tensors cut into pieces for several threads. The pieces follow from the sizes alone, so that
 * results do not depend on how many threads there are.
 */
record Chunks(List<Chunk> list) {
  private static final int SIZE = 1 << 15;

  /** Elements {@code from} to {@code to} of the tensor that came as number {@code tensor}. */
  record Chunk(int tensor, int from, int to) {}

  static Chunks of(Collection<Tensor> tensors) {
    List<Chunk> chunks = new ArrayList<>();
    int number = 0;
    for (Tensor tensor : tensors) {
      int length = tensor.data().length;
      for (int from = 0; from < length; from += SIZE) {
        chunks.add(new Chunk(number, from, Math.min(length, from + SIZE)));
      }
      number++;
    }
    return new Chunks(chunks);
  }

  /** The chunks' numbers, for all processors. */
  IntStream parallel() {
    return IntStream.range(0, list.size()).parallel();
  }
}
