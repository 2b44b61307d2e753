package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.rectiflow.safetensors.DType;

@Tag("simd")
class MatMulTest {
  private static final Workers ONE = new Workers(1);
  private static final Workers TWO = new Workers(2);
  private final Random random = new Random(11);

  @AfterAll
  static void close() {
    ONE.close();
    TWO.close();
  }

  /**
   * Sizes around every edge: single elements, the short path, panel and tile ends, several blocks
   * of k.
   */
  private static final int[][] SIZES = {
    {1, 1, 1},
    {1, 17, 33},
    {3, 5, 7},
    {8, 130, 129},
    {9, 1, 1},
    {9, 13, 16},
    {16, 26, 31},
    {17, 27, 32},
    {31, 12, 512},
    {32, 52, 513},
    {33, 53, 100},
    {47, 64, 64},
    {64, 14, 1025},
    {77, 39, 40},
    {154, 96, 72},
    {333, 65, 48},
    {1, 200, 1541},
    {1, 75, 192},
    {2, 9, 700},
    {5, 31, 64},
    {7, 8, 65},
    {40, 20, 4100},
    {1100, 15, 20}
  };

  @Test
  void everyStoredTypeAndShape() {
    double worst = 0;
    for (int[] s : SIZES) {
      for (DType type : Memory.STORED) {
        worst =
            Math.max(worst, check(s[0], s[1], s[2], type, false, false, Activation.NONE, false));
      }
    }
    System.out.printf(Locale.ROOT, "matmul: largest error %.3f of the bound%n", worst);
  }

  @Test
  void randomShapesWithEveryEpilogue() {
    double worst = 0;
    for (int i = 0; i < 60; i++) {
      int m = 1 + random.nextInt(i % 3 == 0 ? 8 : 120);
      int n = 1 + random.nextInt(90);
      int k = 1 + random.nextInt(150);
      Activation f = Activation.values()[i % 5];
      DType type = Memory.STORED[random.nextInt(Memory.STORED.length)];
      worst =
          Math.max(
              worst, check(m, n, k, type, random.nextBoolean(), random.nextBoolean(), f, true));
    }
    System.out.printf(
        Locale.ROOT, "matmul with epilogues: largest error %.3f of the bound%n", worst);
  }

  @Test
  void transposedOperands() {
    for (DType type : Memory.STORED) {
      for (int[] s : new int[][] {{1, 7, 9}, {40, 30, 50}, {33, 14, 600}, {100, 61, 13}}) {
        check(s[0], s[1], s[2], type, true, true, Activation.NONE, true);
        check(s[0], s[1], s[2], type, true, false, Activation.NONE, false);
        check(s[0], s[1], s[2], type, false, true, Activation.NONE, false);
      }
    }
  }

  /** Many rows of activations, and sums over many rows: the products of training. */
  @Test
  void longOperandsOfFloats() {
    DType f32 = DType.F32;
    for (int[] s : new int[][] {{300, 45, 70}, {261, 33, 300}, {1500, 16, 5}, {600, 100, 20}}) {
      check(s[0], s[1], s[2], f32, false, false, Activation.NONE, false);
      check(s[0], s[1], s[2], f32, false, true, Activation.NONE, false);
      check(s[0], s[1], s[2], f32, false, false, Activation.GELU_TANH, true);
      check(s[0], s[1], s[2], f32, false, true, Activation.SILU, true);
    }
    for (int[] s : new int[][] {{45, 70, 300}, {20, 64, 1500}, {3, 2, 600}, {230, 270, 257}}) {
      check(s[0], s[1], s[2], f32, true, true, Activation.NONE, false);
    }
  }

  /** Activations too large for one packed buffer are cut along their rows. */
  @Test
  void severalChunks() {
    check(2100, 5, 9000, DType.BF16, false, false, Activation.NONE, false);
  }

  /**
   * Runs a product and compares every element with a double-precision loop; returns the largest
   * error over its bound.
   */
  private double check(
      int m,
      int n,
      int k,
      DType type,
      boolean aTransposed,
      boolean wTransposed,
      Activation f,
      boolean epilogue) {
    int slack = random.nextInt(3);
    MemorySegment aMemory = Memory.gaussian(random, 3 + (long) (m + slack) * (k + slack));
    MatrixView a =
        aTransposed
            ? MatrixView.f32(aMemory, 12, m + slack).transposed()
            : MatrixView.f32(aMemory, 12, k + slack);
    StoredVector wMemory = Memory.stored(random, type, (n + slack) * (k + slack));
    MatrixView w =
        wTransposed
            ? MatrixView.of(wMemory.segment(), 1, type, n + slack).transposed()
            : MatrixView.of(wMemory.segment(), 1, type, k + slack);
    int ld = n + slack;
    int rowsPerGate = 1 + random.nextInt(m);
    StoredVector bias = Memory.stored(random, type, n);
    MemorySegment gate = Memory.gaussian(random, (long) ((m - 1) / rowsPerGate + 1) * n);
    MemorySegment residual = Memory.gaussian(random, (long) m * ld);
    Epilogue e =
        epilogue
            ? Epilogue.NONE
                .withBias(bias)
                .withActivation(f)
                .withGate(MatrixView.f32(gate, 0, n), rowsPerGate)
                .withResidual(MatrixView.f32(residual, 0, ld))
            : Epilogue.NONE.withActivation(f);
    MemorySegment out = Memory.empty((long) m * ld);
    MemorySegment again = Memory.empty((long) m * ld);
    MatMul.run(ONE, m, n, k, a, w, MatrixView.f32(out, 0, ld), e);
    MatMul.run(TWO, m, n, k, a, w, MatrixView.f32(again, 0, ld), e);
    assertThat(out.mismatch(again)).as("one and two threads").isEqualTo(-1);
    double worst = 0;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        double size = 0;
        for (int l = 0; l < k; l++) {
          double p =
              Memory.get(aMemory, 3 + i * a.rowStride() + l * a.columnStride())
                  * Memory.value(wMemory, j * w.rowStride() + l * w.columnStride());
          sum += p;
          size += Math.abs(p);
        }
        if (epilogue) {
          sum += Memory.value(bias, j);
          size += Math.abs(Memory.value(bias, j));
        }
        double y = Memory.activate(f, sum);
        double bound =
            1.2 * (2 + Math.sqrt(k)) * Memory.ULP * size + 4 * Memory.ULP * Math.abs(sum);
        if (epilogue) {
          double g = Memory.get(gate, (long) (i / rowsPerGate) * n + j);
          double r = Memory.get(residual, (long) i * ld + j);
          bound = bound * Math.abs(g) + 2 * Memory.ULP * (Math.abs(y * g) + Math.abs(r));
          y = y * g + r;
        }
        double error = Math.abs(Memory.get(out, (long) i * ld + j) - y);
        assertThat(error)
            .as("M=%d N=%d K=%d %s %s (%d,%d): %s", m, n, k, type, f, i, j, y)
            .isLessThanOrEqualTo(bound);
        worst = Math.max(worst, bound == 0 ? 0 : error / bound);
      }
      for (int j = n; j < ld; j++) {
        assertThat(Memory.get(out, (long) i * ld + j)).as("beyond the row").isNaN();
      }
    }
    return worst;
  }

  /** Products that share their rows have the bits of each by itself. */
  @Test
  void severalAreAsEachAlone() {
    for (DType type : new DType[] {DType.F32, DType.F16}) {
      for (int m : new int[] {5, 40, 154, 700}) {
        int k = 70;
        MatrixView a = MatrixView.f32(Memory.gaussian(random, (long) m * k), 0, k);
        List<MatMul.Result> results = new ArrayList<>();
        for (int n : new int[] {48, 33, 192}) {
          MatrixView w = MatrixView.of(Memory.stored(random, type, n * k).segment(), 1, type, k);
          Epilogue bias = Epilogue.NONE.withBias(Memory.stored(random, type, n));
          MatrixView out = MatrixView.f32(Memory.empty((long) m * n), 0, n);
          results.add(new MatMul.Result(n, List.of(w), out, bias));
        }
        for (Workers workers : List.of(ONE, TWO)) {
          MatMul.several(workers, m, new MatMul.Left(a, k), results);
          for (MatMul.Result r : results) {
            MemorySegment alone = Memory.empty((long) m * r.n());
            MatrixView w = r.weights().getFirst();
            MatMul.run(ONE, m, r.n(), k, a, w, MatrixView.f32(alone, 0, r.n()), r.epilogue());
            assertThat(r.out().segment().mismatch(alone))
                .as("M=%d N=%d %s, %d threads", m, r.n(), type, workers.threads())
                .isEqualTo(-1);
          }
        }
      }
    }
  }

  /** Derivatives by what several layers read: stored weights are their transposed views. */
  @Test
  void sumsOfProducts() {
    double worst = 0;
    for (int m : new int[] {5, 40, 700}) {
      int n = 50;
      List<MatMul.Left> lefts = new ArrayList<>();
      List<MatrixView> weights = new ArrayList<>();
      for (int k : new int[] {64, 31, 300}) {
        lefts.add(new MatMul.Left(MatrixView.f32(Memory.gaussian(random, (long) m * k), 0, k), k));
        weights.add(MatrixView.f32(Memory.gaussian(random, (long) n * k), 0, n).transposed());
      }
      MemorySegment residual = Memory.gaussian(random, (long) m * n);
      Epilogue e = Epilogue.NONE.withResidual(MatrixView.f32(residual, 0, n));
      MemorySegment out = Memory.empty((long) m * n);
      MemorySegment again = Memory.empty((long) m * n);
      MatMul.sum(ONE, m, lefts, new MatMul.Result(n, weights, MatrixView.f32(out, 0, n), e));
      MatMul.sum(TWO, m, lefts, new MatMul.Result(n, weights, MatrixView.f32(again, 0, n), e));
      assertThat(out.mismatch(again)).as("one and two threads").isEqualTo(-1);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double sum = Memory.get(residual, (long) i * n + j);
          double size = Math.abs(sum);
          for (int p = 0; p < lefts.size(); p++) {
            int k = lefts.get(p).k();
            for (int l = 0; l < k; l++) {
              double product =
                  Memory.get(lefts.get(p).a().segment(), (long) i * k + l)
                      * Memory.get(weights.get(p).segment(), (long) l * n + j);
              sum += product;
              size += Math.abs(product);
            }
          }
          double bound = 1.2 * (2 + Math.sqrt(395)) * Memory.ULP * size;
          double error = Math.abs(Memory.get(out, (long) i * n + j) - sum);
          assertThat(error).as("M=%d (%d,%d): %s", m, i, j, sum).isLessThanOrEqualTo(bound);
          worst = Math.max(worst, error / bound);
        }
      }
    }
    System.out.printf(Locale.ROOT, "sums of products: largest error %.3f of the bound%n", worst);
  }

  @Test
  void residualMayBeTheResult() {
    int m = 20;
    int n = 30;
    MemorySegment a = Memory.gaussian(random, m * 4);
    MemorySegment w = Memory.gaussian(random, n * 4);
    MemorySegment x = Memory.gaussian(random, m * n);
    MemorySegment expected = Memory.empty(m * n);
    MatrixView view = MatrixView.f32(x, 0, n);
    Epilogue e = Epilogue.NONE.withResidual(view);
    MatMul.run(
        ONE,
        m,
        n,
        4,
        MatrixView.f32(a, 0, 4),
        MatrixView.f32(w, 0, 4),
        MatrixView.f32(expected, 0, n),
        e);
    MatMul.run(ONE, m, n, 4, MatrixView.f32(a, 0, 4), MatrixView.f32(w, 0, 4), view, e);
    assertThat(x.mismatch(expected)).isEqualTo(-1);
  }

  @Test
  void refusesWhatItCannotCompute() {
    MatrixView x = MatrixView.f32(Memory.gaussian(random, 4), 0, 2);
    MatrixView ints = MatrixView.of(Memory.gaussian(random, 4), 0, DType.I32, 2);
    assertThatThrownBy(() -> MatMul.run(ONE, 0, 2, 2, x, x, x, Epilogue.NONE))
        .hasMessageContaining("M=0");
    assertThatThrownBy(() -> MatMul.run(ONE, 2, 2, 2, x, ints, x, Epilogue.NONE))
        .hasMessageContaining("I32");
    assertThatThrownBy(() -> MatMul.run(ONE, 2, 2, 2, x, x, x.transposed(), Epilogue.NONE))
        .hasMessageContaining("contiguous");
    assertThatThrownBy(() -> Epilogue.NONE.withGate(x.transposed(), 1))
        .hasMessageContaining("gate");
  }
}
