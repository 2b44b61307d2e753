package org.rectiflow.benchmarks.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Weight;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.Floats;

/** Seeded operands. */
final class RandomValues {
  private RandomValues() {}

  /** Values from {@code -limit} to {@code limit}. */
  static float[] uniform(long seed, float limit, int... dims) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    float[] values = new float[Math.toIntExact(Shape.of(dims).count())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (2 * random.nextFloat() - 1) * limit;
    }
    return values;
  }

  /** The values as a weight of the type given. */
  static Weight weight(String name, DType type, float[] values, int... dims) {
    MemorySegment data = Arena.ofAuto().allocate((long) values.length * type.bits() / 8, 64);
    Floats.write(values, 0, values.length, data, type, 0);
    return new Weight(name, type, Shape.of(dims), data);
  }
}
