package org.rectiflow.benchmarks.measure;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.rectiflow.engine.cpu.kernels.Simd;
import org.rectiflow.engine.cpu.kernels.Workers;

/** The rate at which all threads together read memory that is in no cache. */
public final class ReadBandwidth implements Contender, AutoCloseable {
  private static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(Simd.bits()));
  private static final long BYTES = 256L << 20;
  private static final long PIECE = 2L << 20;

  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment data;
  private final float[] results = new float[(int) (BYTES / PIECE)];

  /** Takes 256 MB of memory, more than the caches hold. */
  public ReadBandwidth(Workers workers) {
    this.workers = workers;
    this.data = arena.allocate(BYTES, 64);
    // Untouched pages are all the same page of zeros, which stays in the cache.
    data.fill((byte) 1);
  }

  @Override
  public String name() {
    return "read bandwidth";
  }

  /** Bytes read in one run. */
  public double bytes() {
    return BYTES;
  }

  @Override
  public double seconds() {
    long start = System.nanoTime();
    workers.parallelFor(results.length, (index, _) -> results[index] = sum(data, index * PIECE));
    double seconds = (System.nanoTime() - start) * 1e-9;
    for (float result : results) {
      if (!(result > 0)) {
        throw new IllegalStateException("the measured sums came out as " + result);
      }
    }
    return seconds;
  }

  private static float sum(MemorySegment data, long from) {
    int step = F.vectorByteSize();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    for (long at = from; at < from + PIECE; at += 4L * step) {
      a = a.add(FloatVector.fromMemorySegment(F, data, at, ByteOrder.LITTLE_ENDIAN));
      b = b.add(FloatVector.fromMemorySegment(F, data, at + step, ByteOrder.LITTLE_ENDIAN));
      c = c.add(FloatVector.fromMemorySegment(F, data, at + 2L * step, ByteOrder.LITTLE_ENDIAN));
      d = d.add(FloatVector.fromMemorySegment(F, data, at + 3L * step, ByteOrder.LITTLE_ENDIAN));
    }
    FloatVector sum = a.add(b).add(c).add(d);
    return sum.lane(0) + sum.lane(F.length() - 1);
  }

  @Override
  public void close() {
    arena.close();
  }
}
