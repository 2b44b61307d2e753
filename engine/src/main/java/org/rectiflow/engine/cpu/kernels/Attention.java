package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * Multi-head attention {@code out = softmax(scale * q k^T + bias) v} over the concatenation of
 * several streams (text and image), none of which is copied whole, without a buffer of the size of
 * the score matrix.
 *
 * <p>Queries are the vector lanes and scores are computed transposed, {@code [key][query]}, so the
 * softmax runs straight down the lanes and its result already is the panel that the product with V
 * needs. Keys come in blocks with a running sum, and a running maximum that is followed only when
 * it must be, see {@link Softmax} (after Milakov and Gimelshein, "Online normalizer calculation for
 * softmax", 2018).
 */
public final class Attention {
  /**
   * One operand of one stream: element (b, t, h, d) is at {@code byteOffset + 4 * (b * batchStride
   * + t * rowStride + h * D + d)}, so it may be a slice of a fused projection.
   *
   * @param segment native memory
   * @param byteOffset offset of the first element
   * @param batchStride elements between batch items
   * @param rowStride elements between tokens
   */
  public record Tokens(MemorySegment segment, long byteOffset, long batchStride, long rowStride) {
    long at(int batch, long row, long column) {
      return byteOffset + 4 * (batch * batchStride + row * rowStride + column);
    }
  }

  /**
   * A stream of tokens with queries, keys and values; results go to {@code out} (not overlapping
   * the operands).
   *
   * @param tokens number of tokens
   */
  public record Stream(int tokens, Tokens q, Tokens k, Tokens v, Tokens out) {}

  /**
   * What is computed beside plain attention.
   *
   * @param scale factor of the scores, usually 1/sqrt(D)
   * @param causal whether query i sees only keys up to i, counted over the concatenation
   * @param bias float32 [H, T, T] added to the scaled scores for every batch item, or null
   * @param logSumExp float32 [B, H, T] that receives log(sum(exp(scores))) of each query for a
   *     backward pass, or null
   */
  public record Options(float scale, boolean causal, StoredVector bias, StoredVector logSumExp) {
    /** Plain attention. */
    public static Options scaled(float scale) {
      return new Options(scale, false, null, null);
    }
  }

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final float LOG2_E = 1.44269504f;
  private static final double LN_2 = 0.6931471805599453;

  /** Keys of a block: 16 tiles of the 13-row kernel, whose weights fill half of the cache. */
  private static final int KEY_BLOCK = 208;

  /**
   * Query panels of a task at most, and the head dimension up to which the task's queries still fit
   * into the cache with them. The fewer tasks, the less often keys and values are packed.
   */
  private static final int QUERY_PANELS = 48;

  private static final int SMALL_DIM = 160;

  /**
   * Tasks for each thread that are enough to keep all busy to the end, were one a little slower.
   */
  private static final int ENOUGH_TASKS = 12;

  /** Rows that are copied before they are rearranged: few enough to stay in the cache. */
  private static final int STAGED = 4 * Tile.ROWS;

  private Attention() {}

  /**
   * Computes attention of all streams' queries to all streams' keys.
   *
   * @param batch batch items
   * @param heads heads, adjacent in a row
   * @param dim elements of a head
   */
  public static void run(
      Workers workers, int batch, int heads, int dim, List<Stream> streams, Options options) {
    int total = 0;
    for (Stream s : streams) {
      total += s.tokens();
    }
    if (batch < 1 || heads < 1 || dim < 1 || total < 1) {
      throw new IllegalArgumentException(
          "attention needs sizes of at least 1, found batch "
              + batch
              + ", heads "
              + heads
              + ", head dimension "
              + dim
              + ", tokens "
              + total);
    }
    new Call(workers.threads(), batch, heads, dim, total, List.copyOf(streams), options)
        .run(workers);
  }

  private static final class Call {
    private final int batch;
    private final int heads;
    private final int dim;
    private final int total;
    private final List<Stream> streams;
    private final Options options;

    /** Rows of the transposed output with one for the sum of weights; whole tiles. */
    private final int outRows;

    /** Elements between staged rows; odd, so that a column spreads over the cache's sets. */
    private final int stride;

    private final int keyStep;
    private final int taskQueries;
    private final int queryGroups;

    Call(
        int threads,
        int batch,
        int heads,
        int dim,
        int total,
        List<Stream> streams,
        Options options) {
      this.batch = batch;
      this.heads = heads;
      this.dim = dim;
      this.total = total;
      this.streams = streams;
      this.options = options;
      outRows = MatMul.ceilDiv(dim + 1, Tile.ROWS) * Tile.ROWS;
      stride = outRows | 1;
      int tiles = MatMul.ceilDiv(total, Tile.ROWS);
      int blocks = MatMul.ceilDiv(tiles * Tile.ROWS, KEY_BLOCK);
      keyStep = MatMul.ceilDiv(tiles, blocks) * Tile.ROWS;
      int panels = Panels.count(total);
      int groups = MatMul.ceilDiv(panels, dim <= SMALL_DIM ? QUERY_PANELS : QUERY_PANELS / 2);
      // Panels know nothing of each other, so the number of groups changes no result.
      groups = Math.max(groups, MatMul.ceilDiv(ENOUGH_TASKS * threads, batch * heads));
      groups = Math.min(groups, panels);
      taskQueries = MatMul.ceilDiv(panels, groups) * Tile.WIDTH;
      queryGroups = MatMul.ceilDiv(total, taskQueries);
    }

    void run(Workers workers) {
      int all = batch * heads * queryGroups;
      int each = Math.clamp(all / (ENOUGH_TASKS * workers.threads()), 1, heads);
      workers.parallelFor(
          MatMul.ceilDiv(all, each),
          (piece, scratch) -> {
            for (int t = piece * each; t < Math.min(all, (piece + 1) * each); t++) {
              int bh = t / queryGroups;
              new Task(bh / heads, bh % heads, t % queryGroups * taskQueries, scratch).run();
            }
          });
    }

    /** Some queries of a head. */
    private final class Task {
      private final int b;
      private final int h;
      private final int q0;
      private final int queries;
      private final int panels;
      private final Scratch scratch;
      private final float[] keys;
      private final float[] values;
      private final float[] scores;
      private final float[] out;
      private final float[] q;
      private final float[] rows;

      /** For each panel what is subtracted from its scores. */
      private final float[] shifts;

      private final Softmax softmax;
      private final int outSize = outRows * Tile.WIDTH;

      Task(int b, int h, int q0, Scratch scratch) {
        this.b = b;
        this.h = h;
        this.q0 = q0;
        this.scratch = scratch;
        queries = Math.min(taskQueries, total - q0);
        panels = Panels.count(queries);
        keys = scratch.floats(0, keyStep * dim + Simd.LANES);
        values = scratch.floats(1, keyStep * outRows + Simd.LANES);
        scores = scratch.floats(2, keyStep * Tile.WIDTH);
        // Transposing the last rows reads a few more.
        out = scratch.floats(3, panels * outSize + Simd.LANES * Tile.WIDTH);
        q = scratch.floats(4, panels * Tile.WIDTH * dim);
        rows = scratch.floats(5, (Math.max(STAGED, Tile.WIDTH) + Simd.LANES) * stride);
        shifts = scratch.floats(6, panels * Tile.WIDTH);
        softmax = new Softmax();
      }

      void run() {
        Arrays.fill(shifts, 0, panels * Tile.WIDTH, 0f);
        packQueries();
        packOnes();
        int lastKey = options.causal() ? Math.min(total, q0 + queries) : total;
        for (int k0 = 0; k0 < lastKey; k0 += keyStep) {
          int kc = Math.min(keyStep, lastKey - k0);
          packKeys(k0, kc);
          packValues(k0, kc);
          for (int p = 0; p < panels; p++) {
            int last = Math.min(queries, (p + 1) * Tile.WIDTH) - 1;
            if (!options.causal() || k0 <= q0 + last) {
              panel(p, k0, kc);
            }
          }
        }
        store();
      }

      /** A block of keys and a panel of queries. */
      private void panel(int p, int k0, int kc) {
        int vectors = Panels.vectors(p, queries);
        int width = vectors * Simd.LANES;
        int at = p * outSize;
        int sums = at + dim * width;
        int shift = p * Tile.WIDTH;
        score(p, k0, kc, vectors);
        if (k0 == 0 || Softmax.isRestless(shifts, shift, out, sums, width)) {
          softmax.shift(scores, kc, vectors, k0 == 0, out, at, dim + 1, shifts, shift);
        }
        if (softmax.weigh(scores, kc, vectors)) {
          score(p, k0, kc, vectors);
          softmax.shift(scores, kc, vectors, k0 == 0, out, at, dim + 1, shifts, shift);
          softmax.weigh(scores, kc, vectors);
        }
        for (int d = 0; d < outRows; d += Tile.ROWS) {
          int to = at + d * width;
          float[] z = k0 == 0 ? Tile.ZEROS : out;
          PackedTile.run(vectors, values, d * kc, kc, scores, 0, z, k0 == 0 ? 0 : to, out, to);
        }
      }

      private void score(int p, int k0, int kc, int vectors) {
        int width = vectors * Simd.LANES;
        float[] start = softmax.start(shifts, p * Tile.WIDTH, vectors);
        for (int k = 0; k < kc; k += Tile.ROWS) {
          PackedTile.run(
              vectors, keys, k * dim, dim, q, p * Tile.WIDTH * dim, start, 0, scores, k * width);
        }
        int first = q0 + p * Tile.WIDTH;
        int count = Math.min(Tile.WIDTH, queries - p * Tile.WIDTH);
        if (options.bias() != null) {
          addBias(first, count, k0, kc, width);
        }
        if (options.causal() && k0 + kc - 1 > first) {
          maskFuture(first, count, k0, kc, width);
        }
      }

      /** Queries as panels [dim][width], scaled so that the softmax can use powers of two. */
      private void packQueries() {
        for (int p = 0; p < panels; p++) {
          int first = p * Tile.WIDTH;
          int count = Math.min(Tile.WIDTH, queries - first);
          copy(q0 + first, count, Operand.Q);
          int width = Panels.vectors(p, queries) * Simd.LANES;
          for (int r = count; r < width; r++) {
            Arrays.fill(rows, r * stride, r * stride + dim, 0f);
          }
          HeadRows.transpose(rows, 0, stride, dim, width, options.scale() * LOG2_E, q, first * dim);
        }
      }

      /** A column of ones beside the values, whose product with the weights is their sum. */
      private void packOnes() {
        for (int r = 0; r < STAGED; r++) {
          rows[r * stride + dim] = 1f;
          Arrays.fill(rows, r * stride + dim + 1, r * stride + outRows, 0f);
        }
      }

      /** Keys as tiles [dim][ROWS]. Scores of rows behind the last key are never looked at. */
      private void packKeys(int k0, int kc) {
        for (int k = 0; k < kc; k += STAGED) {
          int count = Math.min(STAGED, kc - k);
          copy(k0 + k, count, Operand.K);
          for (int r = 0; r < count; r += Tile.ROWS) {
            HeadRows.transpose(rows, r * stride, stride, dim, Tile.ROWS, 1f, keys, (k + r) * dim);
          }
        }
      }

      /** Values as tiles [key][ROWS]. */
      private void packValues(int k0, int kc) {
        for (int k = 0; k < kc; k += STAGED) {
          int count = Math.min(STAGED, kc - k);
          copy(k0 + k, count, Operand.V);
          for (int d = 0; d < outRows; d += Tile.ROWS) {
            HeadRows.columns(rows, d, stride, count, Tile.ROWS, values, d * kc + k * Tile.ROWS);
          }
        }
      }

      /** Copies a head's elements for tokens {@code t0..t0+count} of the concatenation. */
      private void copy(int t0, int count, Operand operand) {
        int start = 0;
        for (Stream s : streams) {
          int from = Math.max(t0, start);
          int end = Math.min(t0 + count, start + s.tokens());
          Tokens x =
              switch (operand) {
                case Q -> s.q();
                case K -> s.k();
                case V -> s.v();
              };
          if (from < end) {
            HeadRows.copy(
                x.segment(),
                x.at(b, from - start, (long) h * dim),
                4 * x.rowStride(),
                end - from,
                dim,
                rows,
                (from - t0) * stride,
                stride);
          }
          start += s.tokens();
        }
      }

      private void addBias(int first, int count, int k0, int kc, int width) {
        StoredVector bias = options.bias();
        float[] row = scratch.floats(7, kc);
        for (int i = 0; i < count; i++) {
          long at = ((long) h * total + first + i) * total + k0;
          Widen.run(
              bias.segment(),
              bias.byteOffset() + at * (bias.dtype().bits() / 8),
              bias.dtype(),
              kc,
              row,
              0,
              scratch);
          for (int j = 0; j < kc; j++) {
            scores[j * width + i] += row[j] * LOG2_E;
          }
        }
      }

      private void maskFuture(int first, int count, int k0, int kc, int width) {
        for (int j = Math.max(0, first - k0 + 1); j < kc; j++) {
          int hidden = Math.min(count, k0 + j - first);
          Arrays.fill(scores, j * width, j * width + hidden, Float.NEGATIVE_INFINITY);
        }
      }

      private void store() {
        int padded = MatMul.ceilDiv(dim, Simd.LANES) * Simd.LANES;
        float[] zero = scratch.floats(7, padded);
        Arrays.fill(zero, 0, padded, 0f);
        float[] result = scratch.floats(2, Tile.WIDTH * padded);
        for (int p = 0; p < panels; p++) {
          int first = p * Tile.WIDTH;
          int count = Math.min(Tile.WIDTH, queries - first);
          int vectors = Panels.vectors(p, queries);
          if (options.logSumExp() != null) {
            storeLogSumExp(p, count, vectors);
          }
          Softmax.normalize(out, p * outSize, dim, vectors);
          Panels.unpack(out, p * outSize, vectors, count, dim, zero, result, padded);
          int start = 0;
          for (Stream s : streams) {
            int from = Math.max(q0 + first, start);
            int end = Math.min(q0 + first + count, start + s.tokens());
            for (int t = from; t < end; t++) {
              Tokens o = s.out();
              MemorySegment.copy(
                  result,
                  (t - q0 - first) * padded,
                  o.segment(),
                  FLOAT,
                  o.at(b, t - start, (long) h * dim),
                  dim);
            }
            start += s.tokens();
          }
        }
      }

      private void storeLogSumExp(int p, int count, int vectors) {
        StoredVector lse = options.logSumExp();
        int first = p * Tile.WIDTH;
        long at = lse.byteOffset() + 4 * (((long) b * heads + h) * total + q0 + first);
        int sums = p * outSize + dim * vectors * Simd.LANES;
        for (int i = 0; i < count; i++) {
          double log = shifts[first + i] * LN_2 + Math.log(out[sums + i]);
          lse.segment().set(FLOAT, at + 4L * i, (float) log);
        }
      }
    }
  }

  private enum Operand {
    Q,
    K,
    V
  }
}
