package org.rectiflow.tornado.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Activation;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * Kernels on the host, without a device, against loops that take the same steps in the same order:
 * bit for bit. Outputs are poisoned, grids are larger than the data, and nothing but the output and
 * the ticket may change.
 */
class HostKernelsTest {
  private static final int INPUTS = 40_000;
  private static final int SPACE = 60_000;
  private static final int TICKET = SPACE - 1;
  private static final int POWERS = SPACE - 400;
  private static final int Y = 45_000;

  private final float[] start = new float[SPACE];
  private final FloatArray mem;

  HostKernelsTest() {
    Random random = new Random(7);
    Arrays.fill(start, Float.NaN);
    for (int i = 0; i < INPUTS; i++) {
      start[i] = (float) random.nextGaussian();
    }
    float[] powers = Stored.powers();
    System.arraycopy(powers, 0, start, POWERS, powers.length);
    mem = FloatArray.fromArray(start);
  }

  private static IntArray row(int[] row) {
    row[Row.TICKET] = TICKET;
    row[Row.RUN] = 41;
    return Host.row(row);
  }

  private void check(float[] expected) {
    for (int i = 0; i < SPACE; i++) {
      float want = i == TICKET ? 41f : start[i];
      if (i >= Y && i < Y + expected.length) {
        want = expected[i - Y];
      }
      if (Float.floatToIntBits(mem.get(i)) != Float.floatToIntBits(want)) {
        assertThat(mem.get(i)).as("element %d, the output begins at %d", i, Y).isEqualTo(want);
      }
    }
    for (int i = 0; i < expected.length; i++) {
      mem.set(Y + i, Float.NaN);
    }
  }

  private static void lanes(int groups, Consumer<KernelContext> kernel) {
    Host.run(groups, 1, 64, 1, kernel);
  }

  private float at(int i) {
    return start[i];
  }

  private float[] generate(int n, IntUnaryOperator source) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = at(source.applyAsInt(i));
    }
    return values;
  }

  @Test
  void plainCopies() {
    int n = 300;
    IntArray row = row(Ceilings.plainCopyRow(n, 17, Y));
    lanes(6, context -> Ceilings.plainCopy(context, mem, row));
    check(generate(n, i -> 17 + i));
  }

  @Test
  void multiplyAddsThatMeasureTheRoof() {
    int n = 70;
    int steps = 9;
    float[] expected = new float[n];
    for (int i = 0; i < n; i++) {
      float m = 1f - 1f / (2f + steps);
      float c = 1f / (1f + i);
      float[] a = new float[Ceilings.CHAINS];
      for (int j = 0; j < a.length; j++) {
        a[j] = j == 0 ? c : c + new float[] {0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f}[j];
        for (int s = 0; s < steps; s++) {
          a[j] = a[j] * m + c;
        }
        expected[i] = j == 0 ? a[0] : expected[i] + a[j];
      }
    }
    IntArray row = row(Ceilings.multiplyAddsRow(n, steps, Y));
    lanes(2, context -> Ceilings.multiplyAdds(context, mem, row));
    check(expected);
  }

  @Test
  void activationsAreThoseOfTheEngine() {
    Activation[] all = {
      Activation.SILU, Activation.GELU_TANH, Activation.GELU_ERF, Activation.QUICK_GELU
    };
    int[] codes = {Functions.SILU, Functions.GELU_TANH, Functions.GELU_ERF, Functions.QUICK_GELU};
    double worst = 0;
    for (int f = 0; f < all.length; f++) {
      for (float x = -120f; x < 120f; x += 0.37f) {
        double want = all[f].apply(x);
        double difference = Math.abs(Functions.apply(codes[f], x) - want);
        worst = Math.max(worst, difference / (1 + Math.abs(want)));
      }
    }
    System.out.println("largest difference of an activation " + worst);
    assertThat(worst).isLessThan(5e-7);
  }

  @Test
  void elementwise() {
    int n = 700;
    float[] expected = new float[n];
    IntArray p = row(Elementwise.activateRow(n, 100, Y, Functions.SILU));
    lanes(13, c -> Elementwise.activate(c, mem, p));
    for (int i = 0; i < n; i++) {
      expected[i] = Functions.apply(Functions.SILU, at(100 + i));
    }
    check(expected);
    IntArray q = row(Elementwise.affineRow(n, 100, Y, 5));
    lanes(13, c -> Elementwise.affine(c, mem, q));
    for (int i = 0; i < n; i++) {
      expected[i] = at(5) * at(100 + i) + at(6);
    }
    check(expected);
    for (int op : new int[] {Elementwise.ADD, Elementwise.MUL}) {
      IntArray r = row(Elementwise.combineRow(n, 100, 2000, 70, Y, op));
      lanes(12, c -> Elementwise.combine(c, mem, r));
      for (int i = 0; i < n; i++) {
        float b = at(2000 + i % 70);
        expected[i] = op == Elementwise.ADD ? at(100 + i) + b : at(100 + i) * b;
      }
      check(expected);
    }
  }

  @Test
  void modulation() {
    int t = 7;
    int c = 33;
    int n = 3 * t * c;
    float[] expected = new float[n];
    IntArray p = row(Elementwise.modulateRow(n, 10, 5000, 6000, t * c, c, Y));
    lanes(12, k -> Elementwise.modulate(k, mem, p));
    for (int i = 0; i < n; i++) {
      int m = i / (t * c) * c + i % c;
      expected[i] = at(10 + i) * (1f + at(6000 + m)) + at(5000 + m);
    }
    check(expected);
    IntArray q = row(Elementwise.gatedAddRow(n, 10, 5000, 7000, t * c, c, Y));
    lanes(12, k -> Elementwise.gatedAdd(k, mem, q));
    for (int i = 0; i < n; i++) {
      expected[i] = at(10 + i) + at(5000 + i / (t * c) * c + i % c) * at(7000 + i);
    }
    check(expected);
  }

  @Test
  void copiesAndUpsampling() {
    IntArray p = // [2, 3, 5] permuted to [5, 2, 3]
        row(Layout.copyRow(10, Y, new int[] {5, 2, 3}, new int[] {1, 15, 5}, new int[] {6, 3, 1}));
    lanes(2, c -> Layout.copy(c, mem, p));
    check(generate(30, i -> 10 + i / 6 + i / 3 % 2 * 15 + i % 3 * 5));
    IntArray q = row(Layout.upsampleRow(4 * 6 * 5, 10, Y, 5));
    lanes(3, c -> Layout.upsampleNearest(c, mem, q));
    check(generate(120, i -> 10 + i / 10 / 2 * 5 + i % 10 / 2));
  }

  @Test
  void lookups() {
    start[9] = 3f;
    start[10] = 1f;
    mem.set(9, 3f);
    mem.set(10, 1f);
    ShortArray table = Host.bfloats(Arrays.copyOfRange(start, 100, 140));
    IntArray p = row(Layout.gatherRow(20, 10, 0, 9, Y, POWERS));
    lanes(2, c -> Layout.gatherBfloats(c, mem, table, p));
    float[] expected = generate(20, i -> 100 + (i < 10 ? 30 : 10) + i % 10);
    for (int i = 0; i < expected.length; i++) {
      expected[i] = truncated(expected[i]);
    }
    check(expected);
  }

  private static float truncated(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
  }

  @Test
  void matrixProductsAddInTheOrderOfK() {
    int m = 70;
    int n = 67;
    int k = 37;
    int bias = 12_000;
    float[] weights = new float[n * k];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = truncated(at(6000 + i));
    }
    float[] expected = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int e = 0; e < k; e++) {
          sum += at(10 + i * k + e) * weights[j * k + e];
        }
        float v = Functions.apply(Functions.GELU_TANH, sum + at(bias + j));
        expected[i * n + j] = at(20_000 + i * n + j) + at(30_000 + i / 35 * n + j) * v;
      }
    }
    Linear.Finish finish =
        new Linear.Finish(bias, Functions.GELU_TANH, Linear.GATED_ADD, 20_000, 30_000, 35);
    IntArray p = row(Linear.row(m, n, k, 10, 0, Y, POWERS, finish));
    ShortArray bf16 = Host.bfloats(weights);
    Host.run(3, 2, 16, 16, c -> Linear.linearBfloats(c, mem, bf16, p));
    check(expected);
    Host.run(3, 6, 16, 4, c -> Linear.blockedBfloats(c, mem, bf16, p));
    check(expected);
    FloatArray f32 = FloatArray.fromArray(weights);
    Host.run(2, 2, 16, 16, c -> Linear.linearFloats(c, mem, f32, p));
    check(expected);
  }

  @Test
  void fewRowsAddInStridesThenAsTree() {
    int m = 6;
    int n = 5;
    int k = 200;
    float[] expected = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        float[] sums = new float[Linear.STRIDERS];
        for (int e = 0; e < k; e++) {
          sums[e % Linear.STRIDERS] += at(10 + i * k + e) * at(3000 + j * k + e);
        }
        for (int s = Linear.STRIDERS / 2; s > 0; s /= 2) {
          for (int lane = 0; lane < s; lane++) {
            sums[lane] += sums[lane + s];
          }
        }
        expected[i * n + j] = sums[0];
      }
    }
    Linear.Finish plain = new Linear.Finish(-1, Functions.NONE, Linear.PLAIN, -1, -1, 1);
    IntArray p = row(Linear.row(m, n, k, 10, 3000, Y, -1, plain));
    Host.run(n + 2, 2, Linear.STRIDERS, 1, c -> Linear.fewMem(c, mem, p));
    check(expected);
  }

  @Test
  void convolutionsAddInTheOrderOfTheWeights() {
    Convolution.Geometry strided = new Convolution.Geometry(2, 3, 7, 6, 5, 4, 3, 3, 3, 2, 1, 1, 0);
    Convolution.Geometry doubled =
        new Convolution.Geometry(1, 4, 5, 6, 3, 10, 12, 3, 3, 1, 1, 1, 1);
    for (Convolution.Geometry g : new Convolution.Geometry[] {strided, doubled}) {
      IntArray p = row(Convolution.row(g, 10, 2000, 3000, -1, Y, -1));
      Host.run(2, 2, Convolution.LANES, 1, c -> Convolution.convolveMem(c, mem, p));
      check(convolve(g, 10, 2000, 3000));
    }
  }

  private float[] convolve(Convolution.Geometry g, int x, int w, int bias) {
    float[] out = new float[g.pixels() * g.outChannels()];
    for (int i = 0; i < out.length; i++) {
      int column = i % g.outWidth();
      int row = i / g.outWidth() % g.outHeight();
      int o = i / g.outWidth() / g.outHeight() % g.outChannels();
      int b = i / g.outWidth() / g.outHeight() / g.outChannels();
      float sum = 0;
      for (int tap = 0; tap < g.channels() * 9; tap++) {
        int r = row * g.stride() + tap / 3 % 3 - g.padTop();
        int q = column * g.stride() + tap % 3 - g.padLeft();
        boolean inside = r >= 0 && q >= 0 && r < g.height() << g.up() && q < g.width() << g.up();
        int plane = (b * g.channels() + tap / 9) * g.height();
        int pixel = (plane + (r >> g.up())) * g.width() + (q >> g.up());
        sum += (inside ? at(x + pixel) : 0f) * at(w + o * g.channels() * 9 + tap);
      }
      out[i] = sum + at(bias + o);
    }
    return out;
  }

  @Test
  void loadsAndStores() {
    IntArray p = row(Transfers.row(3, Y));
    lanes(2, c -> Transfers.load(c, mem, Host.floats(1, 2, 3, 4), p));
    check(new float[] {1, 2, 3});
    FloatArray bus = Host.floats(0, 0, 0, 9);
    IntArray q = row(Transfers.row(3, 77));
    lanes(2, c -> Transfers.store(c, mem, bus, q));
    assertThat(bus.toHeapArray()).containsExactly(at(77), at(78), at(79), 9f);
  }
}
