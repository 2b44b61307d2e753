package org.rectiflow.tornado;

/** Where the weights of a kernel are, which decides the method that is compiled. */
enum Storage {
  /** The kernel has none. */
  NONE,
  /** In {@code mem}: an activation in a weight's place. */
  MEM,
  F32,
  F16,
  BF16;

  boolean isShort() {
    return this == F16 || this == BF16;
  }
}
