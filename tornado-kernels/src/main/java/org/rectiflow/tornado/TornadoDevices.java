package org.rectiflow.tornado;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.rectiflow.engine.BackendProvider.Device;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** What TornadoVM sees, and how it is set up before it is first touched. */
final class TornadoDevices {
  private static final Pattern NAME =
      Pattern.compile("tornado(?::(\\d+):(\\d+))?((?:\\+[a-z-]+)*)");

  private static final Pattern SUFFIX = Pattern.compile("\\+([a-z-]+)");

  private TornadoDevices() {}

  /** All devices, TornadoVM's default first. */
  static List<Device> list() {
    List<Device> devices = new ArrayList<>();
    TornadoRuntime runtime = runtime();
    for (int b = 0; b < runtime.getNumBackends(); b++) {
      TornadoBackend backend = runtime.getBackend(b);
      for (int d = 0; d < backend.getNumDevices(); d++) {
        devices.add(new Device("tornado:" + b + ":" + d, describe(backend.getDevice(d))));
      }
    }
    return devices;
  }

  /** One line about a device. */
  static String describe(TornadoDevice device) {
    return String.format(
        Locale.ROOT,
        "%s, %s, %d compute units, %.1f GB",
        device.getPhysicalDevice().getDeviceName().strip(),
        device.getTornadoVMBackend(),
        device.getPhysicalDevice().getDeviceMaxComputeUnits(),
        device.getMaxGlobalMemory() * 1e-9);
  }

  /** Opens {@code tornado} or {@code tornado:0:1}, with features as in {@code tornado+stream}. */
  static org.rectiflow.tornado.TornadoBackend open(String name, KernelSources sources) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "--device %s: expected tornado, or tornado:BACKEND:DEVICE as `rectiflow devices` lists them, and perhaps +stream, +cublas or +cuda-graphs"
              .formatted(name));
    }
    boolean first = matcher.group(1) == null;
    int b = first ? 0 : Integer.parseInt(matcher.group(1));
    int d = first ? 0 : Integer.parseInt(matcher.group(2));
    TornadoRuntime runtime = runtime();
    if (b >= runtime.getNumBackends() || d >= runtime.getBackend(b).getNumDevices()) {
      throw new IllegalArgumentException(
          "there is no device %s; `rectiflow devices` lists those that there are".formatted(name));
    }
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    SUFFIX
        .matcher(matcher.group(3))
        .results()
        .map(r -> Feature.of(r.group(1)))
        .forEach(features::add);
    TornadoDevice device = runtime.getBackend(b).getDevice(d);
    features.forEach(feature -> feature.require(device));
    return new org.rectiflow.tornado.TornadoBackend(
        "tornado:" + b + ":" + d + matcher.group(3), device, sources, features);
  }

  /** TornadoVM, its options set first: it reads them once, when its classes load. */
  private static TornadoRuntime runtime() {
    // Else a kernel that fails to compile runs as sequential Java, wrongly and without a word.
    if (!"false".equalsIgnoreCase(setDefault("tornado.recover.bailout", "false"))) {
      throw new IllegalArgumentException(
          "tornado.recover.bailout must be false: with it TornadoVM replaces a kernel that does not compile by"
              + " sequential code that computes one element. Remove it from RECTIFLOW_JAVA_OPTS.");
    }
    // Kernels share long methods, one for each storage type of weights.
    setDefault("tornado.compiler.fullInlining", "True");
    // The generated source of every kernel is kept, so that a failure can say where to look.
    setDefault("tornado.printKernel", "True");
    KernelSources.appendAllToOneFile();
    return TornadoRuntimeProvider.getTornadoRuntime();
  }

  private static String setDefault(String property, String value) {
    String set = System.getProperty(property);
    if (set == null) {
      System.setProperty(property, value);
      return value;
    }
    return set;
  }
}
