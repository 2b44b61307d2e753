package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("simd")
class AttentionTest {
  private static final Workers ONE = new Workers(1);
  private static final Workers TWO = new Workers(2);
  private final Random random = new Random(5);

  @AfterAll
  static void close() {
    ONE.close();
    TWO.close();
  }

  @Test
  void oneAndSeveralStreams() {
    double worst = 0;
    for (int[] tokens :
        new int[][] {
          {1}, {2}, {13}, {77}, {16, 1}, {5, 0, 7}, {33, 77}, {208}, {209}, {154, 300}, {417}
        }) {
      for (int dim : new int[] {1, 8, 32, 64, 80}) {
        worst =
            Math.max(
                worst,
                check(1 + random.nextInt(2), 1 + random.nextInt(3), dim, tokens, false, false, 1));
      }
    }
    System.out.printf(Locale.ROOT, "attention: largest error %.3f of the bound%n", worst);
  }

  /** So many that a task has several heads. */
  @Test
  void manySamples() {
    for (int[] sizes : new int[][] {{43, 3}, {47, 2}, {25, 3}}) {
      check(sizes[0], sizes[1], 8, new int[] {5, 2}, false, false, 1);
    }
  }

  @Test
  void wideHeads() {
    for (int dim : new int[] {128, 160, 255, 512, 513, 1100}) {
      check(1, 1, dim, new int[] {21, 30}, false, false, 1);
    }
  }

  @Test
  void biasAndCausalMask() {
    for (int[] tokens : new int[][] {{1}, {5}, {40, 37}, {77}, {215}, {300, 200}}) {
      check(2, 2, 16, tokens, true, false, 1);
      check(1, 2, 16, tokens, false, true, 1);
      check(1, 1, 24, tokens, true, true, 1);
    }
  }

  /** Scores in the hundreds, where only the running maximum keeps exp from overflowing. */
  @Test
  void largeScores() {
    for (double spread : new double[] {5, 12, 20, 60, 10_000}) {
      check(1, 2, 64, new int[] {100, 550}, false, false, spread);
      check(1, 1, 16, new int[] {450}, true, true, spread);
    }
  }

  /** The shift is lowered for the first keys and then has to follow every block. */
  @Test
  void scoresThatRiseFromKeyToKey() {
    int tokens = 700;
    int dim = 8;
    MemorySegment x = Memory.gaussian(random, (long) tokens * dim);
    MemorySegment bias = Memory.empty((long) tokens * tokens);
    for (int q = 0; q < tokens; q++) {
      for (int k = 0; k < tokens; k++) {
        bias.setAtIndex(
            java.lang.foreign.ValueLayout.JAVA_FLOAT, (long) q * tokens + k, 0.5f * k - 300f);
      }
    }
    MemorySegment out = biased(x, tokens, dim, bias);
    double worst = 0;
    for (int q = 0; q < tokens; q++) {
      for (int d = 0; d < dim; d++) {
        double sum = 0;
        double norm = 0;
        for (int k = 0; k < tokens; k++) {
          double s = 0.5 * (k - tokens);
          for (int e = 0; e < dim; e++) {
            s += 0.3f * (double) Memory.get(x, q * dim + e) * Memory.get(x, k * dim + e);
          }
          double w = Math.exp(s);
          sum += w * Memory.get(x, k * dim + d);
          norm += w;
        }
        worst = Math.max(worst, Math.abs(Memory.get(out, q * dim + d) - sum / norm));
      }
    }
    System.out.printf(Locale.ROOT, "rising scores: largest error %.1e%n", worst);
    // Scores of 300 are known to 3e-5.
    assertThat(worst).isLessThan(1e-4);
  }

  /** One head whose queries, keys and values are all {@code x}, with a bias [tokens, tokens]. */
  private static MemorySegment biased(MemorySegment x, int tokens, int dim, MemorySegment bias) {
    MemorySegment out = Memory.empty((long) tokens * dim);
    Attention.Tokens t = new Attention.Tokens(x, 0, 0, dim);
    Attention.run(
        TWO,
        1,
        1,
        dim,
        List.of(new Attention.Stream(tokens, t, t, t, new Attention.Tokens(out, 0, 0, dim))),
        new Attention.Options(0.3f, false, StoredVector.f32(bias, 0), null));
    return out;
  }

  /**
   * A first key block that is all -inf for some queries must leave no trace; a query without any
   * key gives NaN.
   */
  @Test
  void minusInfinityInTheBias() {
    int tokens = 450;
    int dim = 8;
    MemorySegment x = Memory.gaussian(random, (long) tokens * dim);
    MemorySegment bias = Memory.empty((long) tokens * tokens);
    for (int q = 0; q < tokens; q++) {
      for (int k = 0; k < tokens; k++) {
        boolean hidden = q == 3 || k < Math.min(q, 440);
        bias.setAtIndex(
            java.lang.foreign.ValueLayout.JAVA_FLOAT,
            (long) q * tokens + k,
            hidden ? Float.NEGATIVE_INFINITY : 0f);
      }
    }
    MemorySegment out = biased(x, tokens, dim, bias);
    for (int q = 0; q < tokens; q++) {
      for (int d = 0; d < dim; d++) {
        if (q == 3) {
          assertThat(Memory.get(out, q * dim + d)).isNaN();
          continue;
        }
        double sum = 0;
        double norm = 0;
        for (int k = Math.min(q, 440); k < tokens; k++) {
          double s = 0;
          for (int e = 0; e < dim; e++) {
            s += (double) Memory.get(x, q * dim + e) * Memory.get(x, k * dim + e);
          }
          double w = Math.exp(0.3f * s);
          sum += w * Memory.get(x, k * dim + d);
          norm += w;
        }
        assertThat(Math.abs(Memory.get(out, q * dim + d) - sum / norm)).isLessThan(2e-6);
      }
    }
  }

  private double check(
      int batch,
      int heads,
      int dim,
      int[] tokens,
      boolean withBias,
      boolean causal,
      double spread) {
    int total = Arrays.stream(tokens).sum();
    float scale = (float) (spread / Math.sqrt(dim));
    List<Attention.Stream> one = new ArrayList<>();
    List<Attention.Stream> two = new ArrayList<>();
    List<MemorySegment> qkvs = new ArrayList<>();
    List<MemorySegment> outs = new ArrayList<>();
    List<MemorySegment> agains = new ArrayList<>();
    int width = heads * dim;
    long row = 3L * width + 5;
    for (int t : tokens) {
      MemorySegment qkv = Memory.gaussian(random, batch * (t * row + 2) + 1);
      MemorySegment out = Memory.empty((long) batch * t * width);
      MemorySegment again = Memory.empty((long) batch * t * width);
      qkvs.add(qkv);
      outs.add(out);
      agains.add(again);
      for (int i = 0; i < 2; i++) {
        (i == 0 ? one : two)
            .add(
                new Attention.Stream(
                    t,
                    tokens(qkv, 4, t, row),
                    tokens(qkv, 4 + 4L * width, t, row),
                    tokens(qkv, 4 + 8L * width, t, row),
                    new Attention.Tokens(i == 0 ? out : again, 0, (long) t * width, width)));
      }
    }
    MemorySegment bias = Memory.gaussian(random, (long) heads * total * total);
    MemorySegment lse = Memory.empty((long) batch * heads * total);
    StoredVector b = withBias ? StoredVector.f32(bias, 0) : null;
    Attention.run(
        ONE,
        batch,
        heads,
        dim,
        one,
        new Attention.Options(scale, causal, b, StoredVector.f32(lse, 0)));
    Attention.run(TWO, batch, heads, dim, two, new Attention.Options(scale, causal, b, null));
    for (int i = 0; i < tokens.length; i++) {
      assertThat(outs.get(i).mismatch(agains.get(i))).as("one and two threads").isEqualTo(-1);
    }
    double worst = 0;
    for (int n = 0; n < batch; n++) {
      for (int h = 0; h < heads; h++) {
        double[][] q = new double[total][];
        double[][] k = new double[total][];
        double[][] v = new double[total][];
        int at = 0;
        for (int i = 0; i < tokens.length; i++) {
          for (int t = 0; t < tokens[i]; t++, at++) {
            long first = 1 + n * (tokens[i] * row + 2) + t * row + (long) h * dim;
            q[at] = read(qkvs.get(i), first, dim);
            k[at] = read(qkvs.get(i), first + width, dim);
            v[at] = read(qkvs.get(i), first + 2L * width, dim);
          }
        }
        at = 0;
        for (int i = 0; i < tokens.length; i++) {
          for (int t = 0; t < tokens[i]; t++, at++) {
            int keys = causal ? at + 1 : total;
            double[] s = new double[keys];
            double max = Double.NEGATIVE_INFINITY;
            double size = 0;
            for (int j = 0; j < keys; j++) {
              double magnitude = 0;
              for (int d = 0; d < dim; d++) {
                s[j] += scale * q[at][d] * k[j][d];
                magnitude += Math.abs(scale * q[at][d] * k[j][d]);
              }
              if (withBias) {
                double add = Memory.get(bias, ((long) h * total + at) * total + j);
                s[j] += add;
                magnitude += Math.abs(add);
              }
              max = Math.max(max, s[j]);
              size = Math.max(size, magnitude);
            }
            double norm = 0;
            double[] o = new double[dim];
            double[] abs = new double[dim];
            for (int j = 0; j < keys; j++) {
              double w = Math.exp(s[j] - max);
              norm += w;
              for (int d = 0; d < dim; d++) {
                o[d] += w * v[j][d];
                abs[d] += w * Math.abs(v[j][d]);
              }
            }
            // An error of the scores is a relative error of the weights, twice: above and below the
            // line.
            double relative = Memory.ULP * (8 + Math.sqrt(keys) + 2 * (2 + Math.sqrt(dim)) * size);
            for (int d = 0; d < dim; d++) {
              double error =
                  Math.abs(
                      Memory.get(
                              outs.get(i), ((long) n * tokens[i] + t) * width + (long) h * dim + d)
                          - o[d] / norm);
              double bound = relative * abs[d] / norm;
              assertThat(error)
                  .as("dim %d tokens %s (%d,%d,%d,%d)", dim, Arrays.toString(tokens), n, h, at, d)
                  .isLessThanOrEqualTo(bound);
              worst = Math.max(worst, error / bound);
            }
            double exact = max + Math.log(norm);
            assertThat((double) Memory.get(lse, ((long) n * heads + h) * total + at))
                .isCloseTo(
                    exact,
                    org.assertj.core.api.Assertions.within(
                        relative + 4 * Memory.ULP * Math.abs(exact)));
          }
        }
      }
    }
    return worst;
  }

  private static Attention.Tokens tokens(MemorySegment s, long offset, int t, long row) {
    return new Attention.Tokens(s, offset, t * row + 2, row);
  }

  private static double[] read(MemorySegment s, long first, int count) {
    double[] x = new double[count];
    for (int i = 0; i < count; i++) {
      x[i] = Memory.get(s, first + i);
    }
    return x;
  }

  @Test
  void refusesNothing() {
    assertThatThrownBy(() -> Attention.run(ONE, 1, 1, 4, List.of(), Attention.Options.scaled(1)))
        .hasMessageContaining("tokens 0");
  }
}
