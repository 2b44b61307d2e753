package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.rectiflow.safetensors.DType;

@Tag("simd")
class WidenTest {
  /**
   * All bit patterns of the 8- and 16-bit types, special values included, at every alignment and
   * ragged lengths.
   */
  @Test
  void everyBitPattern() {
    for (DType type : new DType[] {DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2}) {
      int bytes = type.bits() / 8;
      int patterns = 1 << type.bits();
      for (int shift = 0; shift < 3; shift++) {
        int count = patterns - shift;
        MemorySegment s = Arena.ofAuto().allocate((long) patterns * bytes + shift);
        for (int i = 0; i < count; i++) {
          if (bytes == 1) {
            s.set(ValueLayout.JAVA_BYTE, shift + i, (byte) i);
          } else {
            s.set(ValueLayout.JAVA_SHORT_UNALIGNED, shift + 2L * i, (short) i);
          }
        }
        StoredVector v = new StoredVector(s, shift, type);
        float[] to = new float[count + 5];
        Widen.run(s, shift, type, count, to, 5, new Scratch());
        for (int i = 0; i < count; i++) {
          double expected = Memory.value(v, i);
          assertThat(Double.valueOf(to[5 + i]))
              .as("%s pattern %#x", type, i)
              .isEqualTo(Double.valueOf(expected));
        }
        float[] third = new float[count / 3];
        Widen.strided(s, shift, 3L * bytes, type, third.length, third, 0);
        for (int i = 0; i < third.length; i++) {
          assertThat(Double.valueOf(third[i])).isEqualTo(Double.valueOf(Memory.value(v, 3L * i)));
        }
      }
    }
  }

  @Test
  void refusesIntegers() {
    assertThatThrownBy(() -> Widen.check(DType.I64)).hasMessageContaining("I64");
  }
}
