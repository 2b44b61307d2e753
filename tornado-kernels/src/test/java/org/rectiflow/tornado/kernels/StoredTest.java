package org.rectiflow.tornado.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

class StoredTest {
  private static final FloatArray POWERS = Host.floats(Stored.powers());
  private static final int PATTERNS = 1 << 16;

  private static void everyPattern(int kind, IntToDoubleFunction expected) {
    ShortArray array = new ShortArray(PATTERNS);
    for (int bits = 0; bits < PATTERNS; bits++) {
      array.set(bits, (short) bits);
    }
    int finite = 0;
    for (int bits = 0; bits < PATTERNS; bits++) {
      float want = (float) expected.applyAsDouble(bits);
      float got = Stored.at(POWERS, 0, null, array, kind, bits);
      if (!Float.isFinite(want)) {
        assertThat(Float.isFinite(got)).as("bits %x", bits).isFalse();
      } else if (Float.floatToRawIntBits(got) == Float.floatToRawIntBits(want)) {
        finite++;
      } else {
        assertThat(got).as("bits %x", bits).isEqualTo(want);
      }
    }
    assertThat(finite).isGreaterThan(PATTERNS * 9 / 10);
    System.out.println(finite + " finite patterns decoded exactly");
  }

  @Test
  void everyBf16IsDecodedExactly() {
    everyPattern(Stored.BF16, bits -> Float.intBitsToFloat(bits << 16));
  }

  @Test
  void everyF16IsDecodedExactly() {
    everyPattern(Stored.F16, bits -> Float.float16ToFloat((short) bits));
  }

  @Test
  void f32IsReadAsItIs() {
    assertThat(Stored.at(POWERS, 0, Host.floats(1f, -2.5f), null, Stored.F32, 1)).isEqualTo(-2.5f);
  }
}
