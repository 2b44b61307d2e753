package org.rectiflow.tornado.kernels;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** Runs kernels on the host as a device would: groups of lanes with barriers and local memory. */
final class Host {
  private Host() {}

  /** One group's local memory and barrier. */
  private static final class Group {
    private final CyclicBarrier barrier;
    private final List<Object> local = new ArrayList<>();

    Group(int lanes) {
      barrier = new CyclicBarrier(lanes);
    }

    synchronized Object allocate(int index, Object fresh) {
      if (index == local.size()) {
        local.add(fresh);
      }
      return local.get(index);
    }
  }

  /** What one lane sees. */
  private static final class Lane extends KernelContext {
    private final Group group;
    private int allocated;

    Lane(Group group) {
      this.group = group;
    }

    void set(String name, int value) {
      try {
        Field field = KernelContext.class.getField(name);
        field.setAccessible(true);
        field.set(this, value);
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(e.getMessage(), e);
      }
    }

    @Override
    public void localBarrier() {
      try {
        group.barrier.await();
      } catch (InterruptedException | BrokenBarrierException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public float[] allocateFloatLocalArray(int size) {
      return (float[]) group.allocate(allocated++, new float[size]);
    }

    @Override
    public int[] allocateIntLocalArray(int size) {
      return (int[]) group.allocate(allocated++, new int[size]);
    }
  }

  /** Runs a kernel: every group in turn, a virtual thread for each of its lanes. */
  static void run(
      int groupsX, int groupsY, int localX, int localY, Consumer<KernelContext> kernel) {
    for (int gy = 0; gy < groupsY; gy++) {
      for (int gx = 0; gx < groupsX; gx++) {
        runGroup(gx, gy, localX, localY, kernel);
      }
    }
  }

  private static void runGroup(
      int gx, int gy, int localX, int localY, Consumer<KernelContext> kernel) {
    Group group = new Group(localX * localY);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (int y = 0; y < localY; y++) {
      for (int x = 0; x < localX; x++) {
        Lane lane = new Lane(group);
        lane.set("localIdx", x);
        lane.set("localIdy", y);
        lane.set("groupIdx", gx);
        lane.set("groupIdy", gy);
        lane.set("globalIdx", gx * localX + x);
        lane.set("globalIdy", gy * localY + y);
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    kernel.accept(lane);
                  } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                    group.barrier.reset();
                  }
                }));
      }
    }
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    if (failure.get() != null) {
      throw new AssertionError("a lane failed", failure.get());
    }
  }

  /** Arguments as kernels read them. */
  static IntArray row(int[] row) {
    return IntArray.fromArray(row);
  }

  static FloatArray floats(float... values) {
    return FloatArray.fromArray(values);
  }

  /** The upper halves of floats: BF16. */
  static ShortArray bfloats(float[] values) {
    ShortArray array = new ShortArray(values.length);
    for (int i = 0; i < values.length; i++) {
      array.set(i, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
    }
    return array;
  }
}
