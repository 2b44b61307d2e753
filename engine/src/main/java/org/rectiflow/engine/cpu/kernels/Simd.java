package org.rectiflow.engine.cpu.kernels;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width all kernels use: the machine's preferred one, unless the system property {@value
 * #PROPERTY} sets a lower limit (128, 256 or 512 bits).
 *
 * <p>Species are constants of this class because the compiler only turns vector code into
 * instructions when the species is a compile-time constant.
 */
public final class Simd {
  /** System property that limits the vector width in bits. */
  public static final String PROPERTY = "rectiflow.maxVectorBits";

  static final VectorSpecies<Float> F =
      choose(System.getProperty(PROPERTY), FloatVector.SPECIES_PREFERRED.vectorBitSize());
  static final VectorSpecies<Integer> I =
      VectorSpecies.of(int.class, VectorShape.forBitSize(F.vectorBitSize()));
  static final int LANES = F.length();

  /** Byte order of weights and of activations on every machine we run on. */
  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  private Simd() {}

  /** Vector width in bits. */
  public static int bits() {
    return F.vectorBitSize();
  }

  static VectorSpecies<Float> choose(String limit, int preferredBits) {
    if (!ByteOrder.nativeOrder().equals(ByteOrder.LITTLE_ENDIAN)) {
      throw new UnsupportedOperationException(
          "the cpu backend needs a little-endian processor; this one is big-endian");
    }
    int bits = Math.min(preferredBits, 512);
    if (limit != null) {
      bits =
          switch (limit) {
            case "128" -> Math.min(bits, 128);
            case "256" -> Math.min(bits, 256);
            case "512" -> bits;
            default ->
                throw new IllegalArgumentException(
                    "-D"
                        + PROPERTY
                        + " must be 128, 256 or 512, found \""
                        + limit
                        + "\"; leave it out to use the machine's preferred width");
          };
    }
    return switch (bits) {
      case 512 -> FloatVector.SPECIES_512;
      case 256 -> FloatVector.SPECIES_256;
      default -> FloatVector.SPECIES_128;
    };
  }
}
