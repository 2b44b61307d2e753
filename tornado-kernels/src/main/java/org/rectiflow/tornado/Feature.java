package org.rectiflow.tornado;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** What can be switched on for a device, by adding its name: {@code tornado+stream}. */
enum Feature {
  /** Weights beyond the device's memory are sent anew with each run. */
  STREAM("stream"),
  /** Matrix products of many rows by NVIDIA's library. */
  CUBLAS("cublas", TornadoVMBackendType.CUDA),
  /** Launches recorded and replayed by the driver. */
  CUDA_GRAPHS("cuda-graphs", TornadoVMBackendType.CUDA, TornadoVMBackendType.PTX);

  private final String suffix;
  private final List<TornadoVMBackendType> backends;

  Feature(String suffix, TornadoVMBackendType... backends) {
    this.suffix = suffix;
    this.backends = List.of(backends);
  }

  /**
   * Checks that a device can do it.
   *
   * @throws IllegalArgumentException if it cannot, saying which could
   */
  void require(TornadoDevice device) {
    if (!backends.isEmpty() && !backends.contains(device.getTornadoVMBackend())) {
      throw new IllegalArgumentException(
          "+%s needs a device of TornadoVM's %s backend; this one is %s. `rectiflow devices` lists what there is"
              .formatted(
                  suffix,
                  backends.stream().map(Enum::name).collect(Collectors.joining(" or ")),
                  TornadoDevices.describe(device)));
    }
  }

  String suffix() {
    return suffix;
  }

  /**
   * The feature of that name.
   *
   * @throws IllegalArgumentException if there is none, naming all
   */
  static Feature of(String suffix) {
    return Arrays.stream(values())
        .filter(feature -> feature.suffix.equals(suffix))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "+%s is nothing a tornado device can do; it can do %s"
                    .formatted(
                        suffix,
                        Arrays.stream(values())
                            .map(f -> "+" + f.suffix)
                            .collect(Collectors.joining(", ")))));
  }
}
