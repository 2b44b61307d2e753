package org.rectiflow.engine;

import java.util.Optional;

/** Turns graphs into something that runs. */
public interface Backend extends AutoCloseable {
  /** The name {@code --device} knows it by. */
  String name();

  /** What it runs on, in one line for people. */
  String describe();

  /**
   * Prepares {@code graph} for running: memory is planned and taken here, once.
   *
   * @param name what profiles and errors call it: {@code mmdit}
   * @throws UnsupportedOperationException if the backend lacks a kernel the graph needs; nothing
   *     falls back in silence
   */
  Executable compile(String name, Graph graph);

  /**
   * Bytes of activation memory that {@link #compile} would take for {@code graph}; takes none. A
   * backend that lays its memory out in its own way says so itself.
   */
  default long arenaBytes(Graph graph) {
    return MemoryPlan.of(graph).arenaBytes();
  }

  /** Times of all runs of everything compiled here so far. */
  Profile profile();

  /** Measures what the device does at most, for rooflines; empty if that says nothing. */
  default Optional<Roofs> roofs() {
    return Optional.empty();
  }

  /**
   * Begins to make kernels ready in the background, where that takes long; the first {@link
   * #compile} waits for it. For programs that have other things to do first.
   */
  default void warmUp() {}

  @Override
  void close();
}
