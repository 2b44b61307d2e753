package org.rectiflow.safetensors;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Element types of the safetensors format, by the names the header uses.
 *
 * <p>The constants stand in the order of the reference implementation, ascending by alignment: its
 * writer lays tensors out by descending type in this order, and so does {@link SafetensorsWriter}.
 * All values are little-endian.
 */
public enum DType {
  BOOL(8),
  /** Four-bit float; two elements share a byte. Known by name and size only. */
  F4(4),
  /** Six-bit float; four elements share three bytes. Known by name and size only. */
  F6_E2M3(6),
  /** Six-bit float; four elements share three bytes. Known by name and size only. */
  F6_E3M2(6),
  U8(8),
  I8(8),
  /** Eight-bit float with infinities: 5 bits of exponent, 2 of mantissa; torch's float8_e5m2. */
  F8_E5M2(8),
  /**
   * Eight-bit float without infinities: 4 bits of exponent, 3 of mantissa; torch's float8_e4m3fn.
   */
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  /** IEEE 754 binary16. */
  F16(16),
  /** The upper half of an IEEE 754 binary32. */
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  /** A pair of F32, real part first. */
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private static final Map<String, DType> BY_NAME = byName();
  private static final Set<DType> WIDENABLE = EnumSet.of(F64, F32, F16, BF16, F8_E4M3, F8_E5M2);
  private static final Set<DType> INTEGERS = EnumSet.of(BOOL, U8, I8, I16, U16, I32, U32, I64, U64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  private static Map<String, DType> byName() {
    Map<String, DType> names = new HashMap<>();
    for (DType dtype : values()) {
      names.put(dtype.name(), dtype);
    }
    return Map.copyOf(names);
  }

  /** The type a header calls {@code name}; empty when the format has none. Case matters. */
  public static Optional<DType> named(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /**
   * Bytes of one element.
   *
   * @throws UnsupportedOperationException for the types smaller than a byte
   */
  public int byteSize() {
    if (bits % 8 != 0) {
      throw new UnsupportedOperationException(this + " has " + bits + " bits, not whole bytes");
    }
    return bits / 8;
  }

  /**
   * Bytes of {@code elements} elements.
   *
   * @throws ArithmeticException when the number of bits exceeds 63 bits, or the elements do not
   *     fill whole bytes
   */
  public long byteSize(long elements) {
    long total = Math.multiplyExact(elements, (long) bits);
    if (total % 8 != 0) {
      throw new ArithmeticException(elements + " elements of " + this + " do not fill whole bytes");
    }
    return total / 8;
  }

  /**
   * Whether {@link Floats} converts this type from and to float: F64, F32, F16, BF16, F8_E4M3 and
   * F8_E5M2. These are the types a weight of Stable Diffusion 3 may have.
   */
  public boolean isWidenable() {
    return WIDENABLE.contains(this);
  }

  /** Whether the type holds integers (BOOL included), which {@link Integers} reads. */
  public boolean isInteger() {
    return INTEGERS.contains(this);
  }
}
