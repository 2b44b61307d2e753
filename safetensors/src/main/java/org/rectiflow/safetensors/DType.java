package org.rectiflow.safetensors;

/** Element types of the safetensors format, by the names the header uses. */
public enum DType {
  BOOL(8),
  U8(8),
  I8(8),
  F8_E4M3(8),
  F8_E5M2(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  I64(64),
  U64(64),
  F64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }
}
