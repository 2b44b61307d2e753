package org.rectiflow.tornado;

import java.util.Locale;
import org.rectiflow.engine.DeviceException;

/** Whether a graph fits on a device, asked before anything is taken there. */
final class DeviceMemory {
  /** The most TornadoVM takes, and its own default. */
  private static final String PROPERTY = "tornado.device.memory";

  private static final String DEFAULT = "4GB";

  private DeviceMemory() {}

  /** Bytes that TornadoVM was told it may take. */
  static long allowed() {
    return parse(System.getProperty(PROPERTY, DEFAULT));
  }

  /**
   * What is said of a graph that does not fit: the numbers, and what would help.
   *
   * @param need what it takes
   * @param streamed what it takes if weights are sent anew with each run
   */
  static DeviceException refusal(
      String name, DeviceLimits limits, DevicePlan need, DevicePlan streamed, boolean streaming) {
    String sizes =
        String.format(
            Locale.ROOT,
            "%s needs %s on %s: weights %s, activations %s",
            name,
            gigabytes((streaming ? streamed : need).bytes()),
            limits.description(),
            gigabytes((streaming ? streamed : need).residents().weightBytes()),
            gigabytes(need.memory().arenaBytes()));
    if (streaming) {
      sizes += ", the largest weight of each storage type alone";
    }
    if (limits.taken() > 0) {
      sizes += "; other graphs have taken " + gigabytes(limits.taken());
    }
    long bytes = limits.taken() + (streaming ? streamed.bytes() : need.bytes());
    if (bytes <= limits.memory()) {
      sizes +=
          String.format(
              Locale.ROOT,
              "; TornadoVM may take %s of it. Allow more: RECTIFLOW_JAVA_OPTS=-D%s=%dMB",
              gigabytes(limits.allowed()),
              PROPERTY,
              (long) Math.ceil(bytes * 1.05 / (1 << 20)));
    } else {
      sizes += "; it has " + gigabytes(limits.memory());
    }
    if (!streaming && streamed.bytes() <= limits.most()) {
      return new DeviceException(
          sizes
              + ". Or send the weights that do not fit anew with each run, which takes its time:"
              + " --device tornado+stream");
    }
    return new DeviceException(
        sizes + ". Less is needed by a smaller --size, --tile for the decoder, or a smaller model");
  }

  private static String gigabytes(long bytes) {
    return bytes < 100_000_000
        ? String.format(Locale.ROOT, "%.2f MB", bytes * 1e-6)
        : String.format(Locale.ROOT, "%.2f GB", bytes * 1e-9);
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
