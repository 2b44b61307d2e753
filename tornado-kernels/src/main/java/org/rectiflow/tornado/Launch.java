package org.rectiflow.tornado;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
   * @param more what else tells tasks apart: arrays of floats it works on, sizes of a library's
   *     product, a grid that must not change
   */
  record Task(Kernel kernel, Storage storage, int array, List<Integer> more) {
    Task(Kernel kernel) {
      this(kernel, Storage.NONE, 0);
    }

    Task(Kernel kernel, Storage storage, int array) {
      this(kernel, storage, array, List.of());
    }

    Task(Kernel kernel, List<Integer> more) {
      this(kernel, Storage.NONE, 0, more);
    }

    /** For messages, files and profiles: {@code linear_tiled_bf16_0}. */
    String title() {
      String name = kernel.name().toLowerCase(Locale.ROOT);
      String suffix = more.stream().map(i -> "_" + i).collect(Collectors.joining());
      return switch (storage) {
        case NONE -> name + suffix;
        case MEM -> name + "_mem" + suffix;
        default -> name + "_" + storage.name().toLowerCase(Locale.ROOT) + "_" + array + suffix;
      };
    }
  }

  /** The same, as a task of its own for its grid, which then never changes. */
  Launch pinned() {
    List<Integer> more = Stream.concat(task.more.stream(), Stream.of(groupsX, groupsY)).toList();
    return new Launch(new Task(task.kernel, task.storage, task.array, more), groupsX, groupsY, row);
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
