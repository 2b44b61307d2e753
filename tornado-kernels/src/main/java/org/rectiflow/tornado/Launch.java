package org.rectiflow.tornado;

import java.util.Locale;

/**
 * One run of a kernel.
 *
 * @param task what is compiled
 * @param groupsX groups of lanes along x
 * @param groupsY groups of lanes along y
 * @param row its arguments, see {@link org.rectiflow.tornado.kernels.Row}
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Launch(Task task, int groupsX, int groupsY, int[] row) {

  /**
   * What TornadoVM compiles once: a method for arrays.
   *
   * @param kernel the kernel
   * @param storage the storage of its weights
   * @param array which of the arrays of that storage; 0 if there is none
   */
  record Task(Kernel kernel, Storage storage, int array) {
    Task(Kernel kernel) {
      this(kernel, Storage.NONE, 0);
    }

    /** For messages, files and profiles: {@code linear_tiled_bf16_0}. */
    String title() {
      String name = kernel.name().toLowerCase(Locale.ROOT);
      return switch (storage) {
        case NONE -> name;
        case MEM -> name + "_mem";
        default -> name + "_" + storage.name().toLowerCase(Locale.ROOT) + "_" + array;
      };
    }
  }

  /** A launch of one lane for each of {@code n} elements. */
  static Launch elements(Kernel kernel, long n, int[] row) {
    return new Launch(new Task(kernel), groups(n, kernel.localX()), 1, row);
  }

  /** Groups of {@code size} that cover {@code n}. */
  static int groups(long n, int size) {
    return Math.toIntExact(Math.max(1, (n + size - 1) / size));
  }
}
