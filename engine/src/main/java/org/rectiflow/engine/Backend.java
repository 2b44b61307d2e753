package org.rectiflow.engine;

/** Turns graphs into something that runs. */
public interface Backend extends AutoCloseable {
  /** The name {@code --device} knows it by. */
  String name();

  /** What it runs on, in one line for people. */
  String describe();

  /**
   * Prepares {@code graph} for running: memory is planned and taken here, once.
   *
   * @throws UnsupportedOperationException if the backend lacks a kernel the graph needs; nothing
   *     falls back in silence
   */
  Executable compile(Graph graph);

  @Override
  void close();
}
