package org.rectiflow.tornado;

import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;

/**
 * What a device allows.
 *
 * @param description one line about it
 * @param memory bytes it has
 * @param allowed bytes TornadoVM may take of them
 * @param taken bytes that other graphs have taken
 * @param largestArray bytes of the largest array it can hold
 * @param tiles whether it gains from tiles in local memory, as GPUs do
 */
record DeviceLimits(
    String description, long memory, long allowed, long taken, long largestArray, boolean tiles) {

  static DeviceLimits of(TornadoDevice device, long taken) {
    return new DeviceLimits(
        TornadoDevices.describe(device),
        device.getMaxGlobalMemory(),
        DeviceMemory.allowed(),
        taken,
        device.getMaxAllocMemory(),
        device.getDeviceType() != TornadoDeviceType.CPU);
  }

  /** Bytes a graph may take. */
  long most() {
    return Math.min(memory, allowed) - taken;
  }
}
