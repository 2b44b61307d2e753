package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("simd")
class ElementwiseTest {
  private static final Workers TWO = new Workers(2);
  private final Random random = new Random(21);

  @AfterAll
  static void close() {
    TWO.close();
  }

  private interface Expected {
    double of(double a, double b, double c);
  }

  private interface Kernel {
    void run(
        int rows,
        int columns,
        MatrixView a,
        MatrixView b,
        int rowsPerB,
        MatrixView c,
        MatrixView out);
  }

  private void check(Kernel kernel, Expected expected, double ulps) {
    for (int[] s : new int[][] {{1, 1}, {3, 5}, {7, 16}, {5, 100}, {2, 40_001}, {700, 31}}) {
      int rows = s[0];
      int columns = s[1];
      int ld = columns + random.nextInt(4);
      int rowsPerB = 1 + random.nextInt(rows);
      MemorySegment a = Memory.gaussian(random, (long) rows * ld);
      MemorySegment b = Memory.gaussian(random, ((rows - 1L) / rowsPerB + 1) * columns);
      MemorySegment c = Memory.gaussian(random, (long) rows * columns);
      MemorySegment out = Memory.empty((long) rows * ld);
      kernel.run(
          rows,
          columns,
          MatrixView.f32(a, 0, ld),
          MatrixView.f32(b, 0, columns),
          rowsPerB,
          MatrixView.f32(c, 0, columns),
          MatrixView.f32(out, 0, ld));
      for (int r = 0; r < rows; r++) {
        for (int j = 0; j < columns; j++) {
          double x = Memory.get(a, (long) r * ld + j);
          double y = Memory.get(b, (long) (r / rowsPerB) * columns + j);
          double z = Memory.get(c, (long) r * columns + j);
          double e = expected.of(x, y, z);
          double size = Math.abs(e) + Math.abs(x) + Math.abs(x * y) + Math.abs(y) + Math.abs(z);
          assertThat(Math.abs(Memory.get(out, (long) r * ld + j) - e))
              .isLessThanOrEqualTo(ulps * Memory.ULP * size);
        }
        for (int j = columns; j < ld; j++) {
          assertThat(Memory.get(out, (long) r * ld + j)).isNaN();
        }
      }
    }
  }

  @Test
  void binary() {
    check(
        (r, n, a, b, per, _, out) -> Elementwise.add(TWO, r, n, a, b, per, out),
        (a, b, _) -> a + b,
        1);
    check(
        (r, n, a, b, per, _, out) -> Elementwise.multiply(TWO, r, n, a, b, per, out),
        (a, b, _) -> a * b,
        1);
    check(
        (r, n, a, b, per, _, out) -> Elementwise.combine(TWO, r, n, 0.5f, a, -3f, b, per, out),
        (a, b, _) -> 0.5 * a - 3 * b,
        6);
    check(
        (r, n, a, b, per, c, out) -> Elementwise.gatedResidual(TWO, r, n, a, b, per, c, out),
        (a, b, c) -> a * b + c,
        2);
  }

  @Test
  void unary() {
    check(
        (r, n, a, _, _, _, out) -> Elementwise.scale(TWO, r, n, a, 2.5f, -1f, out),
        (a, _, _) -> 2.5 * a - 1,
        4);
    check((r, n, a, _, _, _, out) -> Elementwise.copy(TWO, r, n, a, out), (a, _, _) -> a, 0);
    for (Activation f : Activation.values()) {
      check(
          (r, n, a, _, _, _, out) -> Elementwise.activation(TWO, r, n, f, a, out),
          (a, _, _) -> Memory.activate(f, a),
          6);
    }
  }

  @Test
  void gathersRowsOfEveryType() {
    for (var type : Memory.STORED) {
      StoredVector table = Memory.stored(random, type, 11 * 19);
      int[] ids = {0, 10, 3, 3, 7};
      MemorySegment out = Memory.empty(5 * 19);
      MatrixView view = MatrixView.of(table.segment(), table.byteOffset(), type, 19);
      Elementwise.gather(TWO, ids, 11, 19, view, MatrixView.f32(out, 0, 19));
      for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 19; j++) {
          assertThat((double) Memory.get(out, i * 19 + j))
              .isEqualTo(Memory.value(table, ids[i] * 19 + j));
        }
      }
      assertThatThrownBy(() ->
              Elementwise.gather(TWO, new int[] {1, 11}, 11, 19, view, MatrixView.f32(out, 0, 19)))
          .hasMessageContaining("id 11 at position 1");
    }
  }
}
