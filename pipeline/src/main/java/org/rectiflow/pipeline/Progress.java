package org.rectiflow.pipeline;

/** Hears how far long work has come. */
public interface Progress {

  /** Hears nothing. */
  Progress NONE = (phase, total) -> () -> {};

  /**
   * Work of {@code total} equal steps begins; a phase ends when the next begins.
   *
   * @param phase what is done, for people: {@code denoising}
   */
  Phase begin(String phase, int total);

  /** Something worth telling people between phases; a few lines at most. */
  default void note(String text) {}

  /** One piece of work under way. */
  @FunctionalInterface
  interface Phase {
    /** One more step is done. */
    void step();
  }
}
