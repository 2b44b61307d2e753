package org.rectiflow.engine.reference;

import java.util.List;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;

/** Provides {@link ReferenceBackend}. */
public final class ReferenceBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public List<Device> devices() {
    try (ReferenceBackend backend = new ReferenceBackend()) {
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
      throw new IllegalArgumentException(
          "there is one reference backend; --device reference, not " + device);
    }
    return new ReferenceBackend();
  }
}
