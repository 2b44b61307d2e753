package org.rectiflow.engine.cpu;

import java.util.List;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;

/** Provides {@link CpuBackend}. */
public final class CpuBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public List<Device> devices() {
    try (CpuBackend backend = new CpuBackend(Runtime.getRuntime().availableProcessors())) {
      return List.of(new Device(name(), backend.describe()));
    }
  }

  @Override
  public Optional<String> missing() {
    return Optional.empty();
  }

  @Override
  public Backend open(String device, Options options) {
    if (!device.equals(name())) {
      throw new IllegalArgumentException("there is one cpu; --device cpu, not " + device);
    }
    return new CpuBackend(options.threads());
  }
}
