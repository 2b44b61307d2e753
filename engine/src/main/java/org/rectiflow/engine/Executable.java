package org.rectiflow.engine;

import java.util.Map;

/** A graph made ready by a {@link Backend}. Not thread-safe: one run at a time. */
public interface Executable extends AutoCloseable {

  /**
   * Computes the graph's outputs.
   *
   * @param feeds one entry for each {@link Op.Input}: a {@link Feed} of its shape and type
   * @return the outputs by name, freshly allocated
   * @throws IllegalArgumentException if a feed is missing, unknown or of another shape
   * @throws NonFiniteException if an output has a NaN or an infinity; it names the first op that
   *     made one
   */
  Map<String, Tensor> run(Map<String, Feed> feeds);

  /** Bytes of activation memory, as planned. */
  long arenaBytes();

  @Override
  void close();

  /** A value for an input. */
  sealed interface Feed {
    Shape shape();

    /** Float values. */
    record Floats(Tensor tensor) implements Feed {
      @Override
      public Shape shape() {
        return tensor.shape();
      }
    }

    /** Integer values. */
    record Ints(IntTensor tensor) implements Feed {
      @Override
      public Shape shape() {
        return tensor.shape();
      }
    }

    static Feed of(Tensor tensor) {
      return new Floats(tensor);
    }

    static Feed of(IntTensor tensor) {
      return new Ints(tensor);
    }
  }
}
