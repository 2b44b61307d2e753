package org.rectiflow.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A kind of backend that can be had by name. Implementations are found by {@link
 * java.util.ServiceLoader}, so a backend with dependencies of its own is a module that is there or
 * not. Loading a provider must be cheap and must not fail where its dependencies are missing.
 */
public interface BackendProvider {

  /** What {@code --device} begins with: {@code cpu}. */
  String name();

  /** What can be named here and now, the default first; empty if nothing can run. */
  List<Device> devices();

  /** If {@link #devices()} is empty: why, and what to do about it. */
  Optional<String> missing();

  /**
   * Starts a backend.
   *
   * @param device one of {@link #devices()}, or {@link #name()} for the default
   * @throws IllegalArgumentException if there is no such device, saying what there is
   */
  Backend open(String device, Options options);

  /**
   * Something to run on.
   *
   * @param name what {@code --device} takes
   * @param description one line for people
   */
  record Device(String name, String description) {}

  /**
   * What a user may choose.
   *
   * @param threads threads that compute on the CPU, the caller among them
   * @param generatedSources folder for the source of kernels that a backend generates, if it does;
   *     empty for one the backend chooses
   */
  record Options(int threads, Optional<Path> generatedSources) {
    /** With the backend's choice of a folder. */
    public Options(int threads) {
      this(threads, Optional.empty());
    }
  }
}
