package org.rectiflow.tornado;

import java.util.List;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;

/**
 * Provides {@link TornadoBackend}: {@code tornado}, or {@code tornado:BACKEND:DEVICE} with
 * TornadoVM's numbers. Mentions none of TornadoVM's types, so that it loads where TornadoVM does
 * not.
 */
public final class TornadoBackendProvider implements BackendProvider {
  /** Set by TornadoVM's argument file. */
  private static final String STARTED_WITH_ARGFILE = "tornado.load.runtime.implementation";

  @Override
  public String name() {
    return "tornado";
  }

  @Override
  public List<Device> devices() {
    return started() ? TornadoDevices.list() : List.of();
  }

  @Override
  public Optional<String> missing() {
    if (!started()) {
      return Optional.of(
          "the Java virtual machine was not started for TornadoVM. Set TORNADOVM_HOME to the folder of its"
              + " SDK and start rectiflow through run.sh.");
    }
    return TornadoDevices.list().isEmpty()
        ? Optional.of(
            "TornadoVM finds no device. Install the device's OpenCL driver (clinfo lists those that work; for a"
                + " CPU: apt install pocl-opencl-icd), or TornadoVM's SDK with the backend of your device.")
        : Optional.empty();
  }

  @Override
  public Backend open(String device, Options options) {
    missing()
        .ifPresent(why -> {
          throw new IllegalArgumentException("--device " + device + ": " + why);
        });
    return TornadoDevices.open(device, KernelSources.in(options.generatedSources()));
  }

  private static boolean started() {
    return System.getProperty(STARTED_WITH_ARGFILE) != null;
  }
}
