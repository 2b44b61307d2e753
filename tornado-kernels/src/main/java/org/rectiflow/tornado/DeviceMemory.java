package org.rectiflow.tornado;

import java.util.Locale;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.MemoryPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Whether a graph fits on a device, asked before anything is taken there. */
final class DeviceMemory {
  /** The most TornadoVM takes, and its own default. */
  private static final String PROPERTY = "tornado.device.memory";

  private static final String DEFAULT = "4GB";

  private DeviceMemory() {}

  /** Bytes of all arrays of a graph. */
  static long bytes(Residents residents, int bus) {
    return 4L * residents.memFloats() + residents.weightBytes() + 6L * bus;
  }

  /**
   * Checks.
   *
   * @throws DeviceException with the numbers, and the flag that would help
   */
  static void require(
      String name, TornadoDevice device, Residents residents, MemoryPlan plan, int bus) {
    long need = bytes(residents, bus);
    long allowed = parse(System.getProperty(PROPERTY, DEFAULT));
    long there = device.getMaxGlobalMemory();
    if (need <= Math.min(allowed, there)) {
      return;
    }
    String sizes =
        String.format(
            Locale.ROOT,
            "%s needs %.2f GB on %s (weights %.2f, activations %.2f)",
            name,
            need * 1e-9,
            TornadoDevices.describe(device),
            residents.weightBytes() * 1e-9,
            plan.arenaBytes() * 1e-9);
    if (need > there) {
      throw new DeviceException(
          sizes
              + ", which it does not have; take --device cpu, a smaller model or a smaller --size");
    }
    throw new DeviceException(
        String.format(
            Locale.ROOT,
            "%s, TornadoVM may take %.2f GB. Allow more: RECTIFLOW_JAVA_OPTS=-D%s=%dGB",
            sizes,
            allowed * 1e-9,
            PROPERTY,
            (need >> 30) + 2));
  }

  /** Bytes of {@code 512MB} or {@code 4GB}. */
  static long parse(String size) {
    String text = size.strip().toUpperCase(Locale.ROOT);
    long unit = text.endsWith("GB") ? 1L << 30 : text.endsWith("MB") ? 1L << 20 : 1;
    String digits = unit == 1 ? text : text.substring(0, text.length() - 2);
    try {
      return Long.parseLong(digits.strip()) * unit;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "-D%s=%s: expected a size such as 512MB or 12GB".formatted(PROPERTY, size), e);
    }
  }
}
