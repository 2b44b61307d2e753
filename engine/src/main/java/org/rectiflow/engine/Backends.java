package org.rectiflow.engine;

import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.rectiflow.engine.BackendProvider.Options;

/** The backends that are here. */
public final class Backends {
  private Backends() {}

  /** All providers on the class path. */
  public static List<BackendProvider> providers() {
    return ServiceLoader.load(BackendProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  /**
   * Starts the backend that {@code device} names: {@code cpu}, {@code tornado:0:1}, {@code
   * tornado+stream}.
   *
   * @throws IllegalArgumentException if there is none of that name, or it cannot run here
   */
  public static Backend open(String device, Options options) {
    String name = device.split("[:+]", 2)[0];
    List<BackendProvider> providers = providers();
    for (BackendProvider provider : providers) {
      if (provider.name().equals(name)) {
        return provider.open(device, options);
      }
    }
    String known = providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        "there is no device named %s, only %s; `rectiflow devices` says more"
            .formatted(device, known));
  }
}
