package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All conversions against the definitions of the formats, over all bit patterns. */
class FloatsTest {

  /**
   * A small float by its definition: sign, exponent, mantissa. An infinite one uses the largest
   * exponent for infinity and NaN, as IEEE 754 does; else only the very last pattern is NaN.
   */
  enum Format {
    F16(DType.F16, 10, 15, true),
    BF16(DType.BF16, 7, 127, true),
    F8_E5M2(DType.F8_E5M2, 2, 15, true),
    F8_E4M3(DType.F8_E4M3, 3, 7, false);

    final DType dtype;
    final int mantissaBits;
    final int bias;
    final boolean infinite;
    final int patterns;

    Format(DType dtype, int mantissaBits, int bias, boolean infinite) {
      this.dtype = dtype;
      this.mantissaBits = mantissaBits;
      this.bias = bias;
      this.infinite = infinite;
      this.patterns = 1 << dtype.bits();
    }

    /** The value as a double, exact. */
    double value(int bits) {
      int half = patterns / 2;
      int magnitude = bits % half;
      int exponent = magnitude >> mantissaBits;
      int mantissa = magnitude % (1 << mantissaBits);
      int largest = (half >> mantissaBits) - 1;
      double value;
      if (infinite && exponent == largest) {
        value = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
      } else if (!infinite && magnitude == half - 1) {
        value = Double.NaN;
      } else if (exponent == 0) {
        value = mantissa * Math.pow(2, 1 - bias - mantissaBits);
      } else {
        value = (1 + mantissa * Math.pow(2, -mantissaBits)) * Math.pow(2, exponent - bias);
      }
      return bits < half ? value : -value;
    }

    /** The largest finite magnitude's bits. */
    int last() {
      return patterns / 2 - 1 - (infinite ? 1 << mantissaBits : 1);
    }

    /** The positive pattern nearest to a positive value, found by looking at all; ties to even. */
    int nearest(double value, double[] all) {
      int low = 0;
      int high = last();
      while (low < high) {
        int middle = (low + high + 1) / 2;
        if (all[middle] <= value) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      // Above the largest, the next step is what it would be if the exponent went on.
      double next = low == last() ? 2 * all[low] - all[low - 1] : all[low + 1];
      double down = value - all[low];
      double up = next - value;
      boolean roundDown = down < up || (down == up && low % 2 == 0);
      return roundDown ? low : low + 1;
    }

    double[] all() {
      double[] all = new double[patterns / 2];
      Arrays.setAll(all, this::value);
      return all;
    }
  }

  private static float widen(DType dtype, int bits) {
    MemorySegment one = MemorySegment.ofArray(new byte[2]);
    one.set(Layouts.SHORT, 0, (short) bits);
    return Floats.read(one.asSlice(0, dtype.byteSize()), dtype)[0];
  }

  private static int narrow(DType dtype, float value) {
    MemorySegment one = MemorySegment.ofArray(new byte[2]);
    Floats.write(new float[] {value}, 0, 1, one, dtype, 0);
    return one.get(Layouts.SHORT, 0) & 0xffff;
  }

  @ParameterizedTest
  @EnumSource
  void wideningIsExactForAllPatterns(Format format) {
    for (int bits = 0; bits < format.patterns; bits++) {
      float found = widen(format.dtype, bits);
      if (Double.compare(found, format.value(bits)) != 0) {
        fail("%s %x: expected %s, found %s", format, bits, format.value(bits), found);
      }
      boolean negative = bits >= format.patterns / 2;
      assertThat(Float.floatToRawIntBits(found) < 0).as("sign of %x", bits).isEqualTo(negative);
    }
  }

  @ParameterizedTest
  @EnumSource
  void narrowingUndoesWideningForAllPatterns(Format format) {
    for (int bits = 0; bits < format.patterns; bits++) {
      int back = narrow(format.dtype, widen(format.dtype, bits));
      if (Double.isNaN(format.value(bits))) {
        assertThat(format.value(back)).isNaN();
      } else {
        assertThat(back).isEqualTo(bits);
      }
    }
  }

  /** Between all neighbours: just below, at, and just above the middle. */
  @ParameterizedTest
  @EnumSource
  void narrowingRoundsToNearestEven(Format format) {
    int sign = format.patterns / 2;
    for (int low = 0; low < format.last(); low++) {
      float middle = (float) ((format.value(low) + format.value(low + 1)) / 2);
      int even = low % 2 == 0 ? low : low + 1;
      assertThat(narrow(format.dtype, middle)).isEqualTo(even);
      assertThat(narrow(format.dtype, Math.nextDown(middle))).isEqualTo(low);
      assertThat(narrow(format.dtype, Math.nextUp(middle))).isEqualTo(low + 1);
      assertThat(narrow(format.dtype, -middle)).isEqualTo(even + sign);
      assertThat(narrow(format.dtype, -Math.nextDown(middle))).isEqualTo(low + sign);
      assertThat(narrow(format.dtype, -Math.nextUp(middle))).isEqualTo(low + 1 + sign);
    }
  }

  /** Every sign and exponent of a float, mantissas around every rounding edge and at random. */
  @ParameterizedTest
  @EnumSource
  void narrowingFindsTheNearestOfAll(Format format) {
    double[] all = format.all();
    SplittableRandom random = new SplittableRandom(8);
    long checked = 0;
    for (int exponent = 0; exponent < 255; exponent++) {
      for (int i = 0; i < 3000; i++) {
        int shift = random.nextInt(24);
        int mantissa = (random.nextInt(1 << 23) >> shift << shift) + random.nextInt(-1, 2);
        float value = Float.intBitsToFloat((exponent << 23) + Math.max(mantissa, 0));
        int nearest = format.nearest(value, all);
        if (narrow(format.dtype, value) != nearest
            || narrow(format.dtype, -value) != nearest + format.patterns / 2) {
          fail("%s: %s must become %x", format, value, nearest);
        }
        checked++;
      }
    }
    System.out.println(format + ": " + 2 * checked + " floats narrowed to the nearest");
  }

  /** The edges of torch's casts, by hand. */
  @Test
  void overflowAndNanAreTorchs() {
    assertThat(narrow(DType.F8_E4M3, 448)).isEqualTo(0x7e);
    assertThat(narrow(DType.F8_E4M3, 464)).as("a tie, to even").isEqualTo(0x7e);
    assertThat(narrow(DType.F8_E4M3, Math.nextUp(464f))).isEqualTo(0x7f);
    assertThat(narrow(DType.F8_E4M3, 480)).isEqualTo(0x7f);
    assertThat(narrow(DType.F8_E4M3, Float.MAX_VALUE)).isEqualTo(0x7f);
    assertThat(narrow(DType.F8_E4M3, Float.POSITIVE_INFINITY)).isEqualTo(0x7f);
    assertThat(narrow(DType.F8_E4M3, Float.NEGATIVE_INFINITY)).isEqualTo(0xff);
    assertThat(narrow(DType.F8_E4M3, Float.NaN)).isEqualTo(0x7f);
    assertThat(narrow(DType.F8_E4M3, Float.MIN_VALUE)).isEqualTo(0);
    assertThat(narrow(DType.F8_E4M3, -0f)).isEqualTo(0x80);
    assertThat(narrow(DType.F8_E5M2, 57344)).isEqualTo(0x7b);
    assertThat(narrow(DType.F8_E5M2, Math.nextDown(61440f))).isEqualTo(0x7b);
    assertThat(narrow(DType.F8_E5M2, 61440)).as("a tie, to even").isEqualTo(0x7c);
    assertThat(narrow(DType.F8_E5M2, Float.NEGATIVE_INFINITY)).isEqualTo(0xfc);
    assertThat(narrow(DType.F8_E5M2, Float.NaN)).isEqualTo(0x7f);
    assertThat(narrow(DType.F16, 65504)).isEqualTo(0x7bff);
    assertThat(narrow(DType.F16, Math.nextDown(65520f))).isEqualTo(0x7bff);
    assertThat(narrow(DType.F16, 65520)).isEqualTo(0x7c00);
    assertThat(narrow(DType.F16, Float.NaN)).isEqualTo(0x7e00);
    assertThat(narrow(DType.BF16, Float.MAX_VALUE)).isEqualTo(0x7f80);
    assertThat(narrow(DType.BF16, Float.NaN)).isEqualTo(0x7fc0);
    assertThat(narrow(DType.BF16, Float.intBitsToFloat(0x7f80_0001))).isEqualTo(0x7fc0);
  }

  /** Longer than the pieces in which data is read, with odd starts, in every dtype. */
  @Test
  void longTensorsConvertPieceByPiece() {
    int count = 10_007;
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (i % 9 - 4) / 4f;
    }
    for (DType dtype : DType.values()) {
      if (!dtype.isWidenable()) {
        continue;
      }
      MemorySegment data = MemorySegment.ofArray(new byte[(count + 2) * dtype.byteSize() + 1]);
      MemorySegment odd = data.asSlice(1);
      Floats.write(values, 0, count, odd, dtype, 2);
      float[] found = new float[count + 3];
      Floats.read(odd, dtype, 2, found, 3, count);
      assertThat(Arrays.mismatch(found, 3, count + 3, values, 0, count))
          .as("%s", dtype)
          .isEqualTo(-1);
      assertThat(Arrays.copyOf(found, 3)).containsOnly(0);
      assertThat(Floats.read(odd.asSlice(0, 2L * dtype.byteSize()), dtype)).containsExactly(0, 0);
    }
  }

  @Test
  void f64RoundsToTheNearestFloat() {
    MemorySegment one = MemorySegment.ofArray(new byte[8]);
    one.set(Layouts.DOUBLE, 0, 0.1);
    assertThat(Floats.read(one, DType.F64)).containsExactly(0.1f);
    one.set(Layouts.DOUBLE, 0, 1e300);
    assertThat(Floats.read(one, DType.F64)).containsExactly(Float.POSITIVE_INFINITY);
  }

  @Test
  void wrongUseIsRefused() {
    MemorySegment data = MemorySegment.ofArray(new byte[6]);
    assertThatThrownBy(() -> Floats.read(data, DType.I16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found I16");
    assertThatThrownBy(() -> Floats.read(data, DType.F32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("6 bytes");
    assertThatThrownBy(() -> Floats.read(data, DType.F16, 2, new float[2], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Floats.read(data, DType.F16, 0, new float[2], 0, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void integersWiden() {
    MemorySegment bytes = MemorySegment.ofArray(new byte[] {0, 1, -1, -128, 127, 2, -1, -1});
    assertThat(Integers.read(bytes, DType.BOOL)).containsExactly(0, 1, 1, 1, 1, 1, 1, 1);
    assertThat(Integers.read(bytes, DType.I8)).containsExactly(0, 1, -1, -128, 127, 2, -1, -1);
    assertThat(Integers.read(bytes, DType.U8)).containsExactly(0, 1, 255, 128, 127, 2, 255, 255);
    assertThat(Integers.read(bytes, DType.I16)).containsExactly(256, -32513, 639, -1);
    assertThat(Integers.read(bytes, DType.U16)).containsExactly(256, 33023, 639, 65535);
    assertThat(Integers.read(bytes, DType.I32)).containsExactly(0x80ff0100, 0xffff027f);
    assertThat(Integers.read(bytes, DType.U32)).containsExactly(0x80ff0100L, 0xffff027fL);
    assertThat(Integers.read(bytes, DType.I64)).containsExactly(0xffff027f80ff0100L);
    assertThatThrownBy(() -> Integers.read(bytes, DType.F32))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
