package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Multi-head attention {@code out = softmax(scale * q k^T + bias) v} over the concatenation of
 * several streams (text and image), none of which is copied whole, without a buffer of the size of
 * the score matrix.
 *
 * <p>Queries are the vector lanes and scores are computed transposed, {@code [key][query]}, so the
 * softmax runs straight down the lanes and its result already is the panel that the product with V
 * needs. Keys come in blocks with a running maximum and sum (Milakov and Gimelshein, "Online
 * normalizer calculation for softmax", 2018).
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

  /** Keys of a block: 16 tiles of the 13-row kernel. */
  private static final int KEY_BLOCK = 208;

  /**
   * Query panels of a task, and the head dimension up to which the task's queries still fit into
   * the cache with them.
   */
  private static final int QUERY_PANELS = 24;

  private static final int SMALL_DIM = 160;

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
    new Call(batch, heads, dim, total, List.copyOf(streams), options).run(workers);
  }

  private static final class Call {
    private final int batch;
    private final int heads;
    private final int dim;
    private final int total;
    private final List<Stream> streams;
    private final Options options;

    /** Rows of the transposed output, a multiple of the tile height. */
    private final int outRows;

    /** The head dimension in pieces the tile's constant row stride allows. */
    private final int dimPieces;

    private final int dimStep;
    private final int keyStep;
    private final int taskQueries;
    private final int queryGroups;

    Call(int batch, int heads, int dim, int total, List<Stream> streams, Options options) {
      this.batch = batch;
      this.heads = heads;
      this.dim = dim;
      this.total = total;
      this.streams = streams;
      this.options = options;
      outRows = MatMul.ceilDiv(dim, Tile.ROWS) * Tile.ROWS;
      dimPieces = MatMul.ceilDiv(dim, Tile.K_MAX);
      dimStep = MatMul.ceilDiv(dim, dimPieces);
      int tiles = MatMul.ceilDiv(total, Tile.ROWS);
      int blocks = MatMul.ceilDiv(tiles * Tile.ROWS, KEY_BLOCK);
      keyStep = MatMul.ceilDiv(tiles, blocks) * Tile.ROWS;
      int panels = Panels.count(total);
      int groups = MatMul.ceilDiv(panels, dim <= SMALL_DIM ? QUERY_PANELS : QUERY_PANELS / 2);
      taskQueries = MatMul.ceilDiv(panels, groups) * Tile.WIDTH;
      queryGroups = MatMul.ceilDiv(total, taskQueries);
    }

    void run(Workers workers) {
      workers.parallelFor(
          batch * heads * queryGroups,
          (t, scratch) -> {
            int bh = t / queryGroups;
            task(bh / heads, bh % heads, (t % queryGroups) * taskQueries, scratch);
          });
    }

    private void task(int b, int h, int q0, Scratch scratch) {
      int queries = Math.min(taskQueries, total - q0);
      int panels = Panels.count(queries);
      int pieceSize = keyStep * Tile.ROW_STRIDE;
      float[] keys = scratch.floats(0, dimPieces * pieceSize);
      float[] values = scratch.floats(1, keyStep * outRows + Tile.ROWS);
      float[] scores = scratch.floats(2, keyStep * Tile.WIDTH);
      int outSize = (outRows + Simd.LANES) * Tile.WIDTH;
      float[] out = scratch.floats(3, panels * outSize);
      float[] state = scratch.floats(4, panels * 2 * Tile.WIDTH + Tile.WIDTH);
      int correction = panels * 2 * Tile.WIDTH;
      Arrays.fill(out, 0, panels * outSize, 0f);
      for (int p = 0; p < panels; p++) {
        int at = p * 2 * Tile.WIDTH;
        Arrays.fill(state, at, at + Tile.WIDTH, Float.NEGATIVE_INFINITY);
        Arrays.fill(state, at + Tile.WIDTH, at + 2 * Tile.WIDTH, 0f);
      }
      long panelBytes = 4L * Tile.WIDTH * dim;
      MemorySegment q = scratch.segment(0, panels * panelBytes);
      MemorySegment weights = scratch.segment(1, 4L * keyStep * Tile.WIDTH);
      packQueries(b, h, q0, queries, q, panelBytes, scratch);
      int lastKey = options.causal() ? Math.min(total, q0 + queries) : total;
      for (int k0 = 0; k0 < lastKey; k0 += keyStep) {
        int kc = Math.min(keyStep, lastKey - k0);
        loadKeys(b, h, k0, kc, keys, pieceSize);
        loadValues(b, h, k0, kc, values);
        for (int p = 0; p < panels; p++) {
          int vectors = Panels.vectors(p, queries);
          int first = q0 + p * Tile.WIDTH;
          int rows = Math.min(Tile.WIDTH, queries - p * Tile.WIDTH);
          if (options.causal() && k0 > first + rows - 1) {
            continue;
          }
          int width = vectors * Simd.LANES;
          score(vectors, kc, keys, pieceSize, q, p * panelBytes, scores);
          if (options.bias() != null) {
            addBias(h, first, rows, k0, kc, width, scores, scratch);
          }
          if (options.causal() && k0 + kc - 1 > first) {
            maskFuture(first, rows, k0, kc, width, scores);
          }
          boolean changed = false;
          for (int v = 0; v < vectors; v++) {
            changed |=
                softmax(
                    scores,
                    kc,
                    width,
                    v * Simd.LANES,
                    state,
                    p * 2 * Tile.WIDTH + v * Simd.LANES,
                    correction + v * Simd.LANES,
                    weights);
          }
          if (changed && k0 > 0) {
            rescale(out, p * outSize, dim, vectors, state, correction);
          }
          for (int d = 0; d < outRows; d += Tile.ROWS) {
            int at = p * outSize + d * width;
            Tile.columns(vectors, values, d, outRows, kc, weights, 0, out, at, out, at);
          }
        }
      }
      store(b, h, q0, queries, out, outSize, state, scratch);
    }

    /** Queries as panels [dim][width], scaled so that the softmax can use powers of two. */
    private void packQueries(
        int b, int h, int q0, int queries, MemorySegment to, long panelBytes, Scratch scratch) {
      int stride = dim | 1;
      int[] index = scratch.ints(Tile.WIDTH);
      for (int i = 0; i < Tile.WIDTH; i++) {
        index[i] = i * stride;
      }
      float[] rows = scratch.floats(5, Tile.WIDTH * stride);
      for (int p = 0; p < Panels.count(queries); p++) {
        int count = Math.min(Tile.WIDTH, queries - p * Tile.WIDTH);
        copy(b, h, q0 + p * Tile.WIDTH, count, Operand.Q, 0, dim, rows, 0, stride);
        Arrays.fill(rows, count * stride, Tile.WIDTH * stride, 0f);
        int vectors = Panels.vectors(p, queries);
        Panels.gather(rows, index, dim, vectors, options.scale() * LOG2_E, to, p * panelBytes);
      }
    }

    private void loadKeys(int b, int h, int k0, int kc, float[] to, int pieceSize) {
      for (int piece = 0; piece < dimPieces; piece++) {
        int d0 = piece * dimStep;
        int dc = Math.min(dimStep, dim - d0);
        int at = piece * pieceSize;
        copy(b, h, k0, kc, Operand.K, d0, dc, to, at, Tile.ROW_STRIDE);
        int padded = MatMul.ceilDiv(kc, Tile.ROWS) * Tile.ROWS;
        for (int r = kc; r < padded; r++) {
          Arrays.fill(to, at + r * Tile.ROW_STRIDE, at + r * Tile.ROW_STRIDE + dc, 0f);
        }
      }
    }

    private void loadValues(int b, int h, int k0, int kc, float[] to) {
      if (outRows != dim) {
        for (int r = 0; r < kc; r++) {
          Arrays.fill(to, r * outRows + dim, (r + 1) * outRows, 0f);
        }
      }
      copy(b, h, k0, kc, Operand.V, 0, dim, to, 0, outRows);
    }

    /** Copies columns of a head for tokens {@code t0..t0+count} of the concatenation. */
    private void copy(
        int b,
        int h,
        int t0,
        int count,
        Operand operand,
        int d0,
        int dc,
        float[] to,
        int at,
        int stride) {
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
          copyRows(
              x.segment(),
              x.at(b, from - start, (long) h * dim + d0),
              4 * x.rowStride(),
              end - from,
              dc,
              to,
              at + (from - t0) * stride,
              stride);
        }
        start += s.tokens();
      }
    }

    private void score(
        int vectors,
        int kc,
        float[] keys,
        int pieceSize,
        MemorySegment q,
        long qo,
        float[] scores) {
      int width = vectors * Simd.LANES;
      int tiles = MatMul.ceilDiv(kc, Tile.ROWS);
      for (int piece = 0; piece < dimPieces; piece++) {
        int d0 = piece * dimStep;
        int dc = Math.min(dimStep, dim - d0);
        for (int t = 0; t < tiles; t++) {
          Tile.rows(
              vectors,
              keys,
              piece * pieceSize + t * Tile.ROWS * Tile.ROW_STRIDE,
              dc,
              q,
              qo + 4L * d0 * width,
              piece == 0 ? Tile.ZEROS : scores,
              piece == 0 ? 0 : t * Tile.ROWS * width,
              scores,
              t * Tile.ROWS * width);
        }
      }
    }

    private void addBias(
        int h, int first, int rows, int k0, int kc, int width, float[] scores, Scratch scratch) {
      StoredVector bias = options.bias();
      float[] row = scratch.floats(5, kc);
      for (int i = 0; i < rows; i++) {
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

    private static void maskFuture(int first, int rows, int k0, int kc, int width, float[] scores) {
      for (int j = Math.max(0, first - k0 + 1); j < kc; j++) {
        int hidden = Math.min(rows, k0 + j - first);
        Arrays.fill(scores, j * width, j * width + hidden, Float.NEGATIVE_INFINITY);
      }
    }

    private void store(
        int b,
        int h,
        int q0,
        int queries,
        float[] out,
        int outSize,
        float[] state,
        Scratch scratch) {
      int padded = MatMul.ceilDiv(dim, Simd.LANES) * Simd.LANES;
      float[] rows = scratch.floats(2, Tile.WIDTH * padded);
      float[] zero = scratch.floats(5, padded);
      Arrays.fill(zero, 0, padded, 0f);
      int p = 0;
      for (int first = 0; first < queries; first += Tile.WIDTH, p++) {
        int count = Math.min(Tile.WIDTH, queries - first);
        int vectors = Panels.vectors(p, queries);
        int max = p * 2 * Tile.WIDTH;
        divide(out, p * outSize, dim, vectors, state, max + Tile.WIDTH);
        Panels.unpack(out, p * outSize, vectors, count, dim, zero, rows, padded);
        int start = 0;
        for (Stream s : streams) {
          int from = Math.max(q0 + first, start);
          int end = Math.min(q0 + first + count, start + s.tokens());
          for (int t = from; t < end; t++) {
            Tokens o = s.out();
            MemorySegment.copy(
                rows,
                (t - q0 - first) * padded,
                o.segment(),
                FLOAT,
                o.at(b, t - start, (long) h * dim),
                dim);
          }
          start += s.tokens();
        }
        if (options.logSumExp() != null) {
          StoredVector lse = options.logSumExp();
          long at = lse.byteOffset() + 4 * (((long) b * heads + h) * total + q0 + first);
          for (int i = 0; i < count; i++) {
            double m = state[max + i];
            double l = state[max + Tile.WIDTH + i];
            lse.segment().set(FLOAT, at + 4L * i, (float) (m * LN_2 + Math.log(l)));
          }
        }
      }
    }
  }

  private enum Operand {
    Q,
    K,
    V
  }

  /**
   * Columns outside, rows inside: rows are short, and a long inner loop keeps its range checks
   * outside.
   */
  private static void copyRows(
      MemorySegment from,
      long offset,
      long step,
      int rows,
      int count,
      float[] to,
      int at,
      int stride) {
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      copyVectors(from, offset + 4L * i, step, rows, to, at + i, stride);
    }
    for (; i < count; i++) {
      for (int r = 0; r < rows; r++) {
        to[at + r * stride + i] = from.get(FLOAT, offset + r * step + 4L * i);
      }
    }
  }

  private static void copyVectors(
      MemorySegment from, long offset, long step, int rows, float[] to, int at, int stride) {
    for (int r = 0; r < rows; r++) {
      FloatVector.fromMemorySegment(Simd.F, from, offset + r * step, Simd.LE)
          .intoArray(to, at + r * stride);
    }
  }

  /**
   * One vector of queries: updates the running maximum and sum, and writes the weights of this key
   * block. State passes through arrays because a vector that crosses the boundary of a compiled
   * method is allocated as an object.
   *
   * @return whether a maximum rose, so that earlier results must be rescaled by the correction
   */
  private static boolean softmax(
      float[] scores,
      int kc,
      int width,
      int lane,
      float[] state,
      int max,
      int correction,
      MemorySegment weights) {
    int sum = max + Tile.WIDTH;
    maximum(scores, kc, width, lane, state, max, correction);
    boolean changed = false;
    for (int i = 0; i < Simd.LANES; i++) {
      changed |= state[correction + i] != 1f;
    }
    weigh(scores, kc, width, lane, state, max, sum, correction, weights);
    return changed;
  }

  private static void maximum(
      float[] scores, int kc, int width, int lane, float[] state, int max, int correction) {
    FloatVector old = FloatVector.fromArray(Simd.F, state, max);
    FloatVector m0 = old;
    FloatVector m1 = old;
    int j = 0;
    for (; j + 2 <= kc; j += 2) {
      int at = j * width + lane;
      FloatVector a = FloatVector.fromArray(Simd.F, scores, at);
      FloatVector b = FloatVector.fromArray(Simd.F, scores, at + width);
      // Cheaper than max(), which orders signed zeros and NaN; a NaN score reaches the result
      // through its weight.
      m0 = m0.blend(a, a.compare(VectorOperators.GT, m0));
      m1 = m1.blend(b, b.compare(VectorOperators.GT, m1));
    }
    if (j < kc) {
      FloatVector a = FloatVector.fromArray(Simd.F, scores, j * width + lane);
      m0 = m0.blend(a, a.compare(VectorOperators.GT, m0));
    }
    m0 = m0.blend(m1, m1.compare(VectorOperators.GT, m0));
    m0.intoArray(state, max);
    VectorMath.exp2(old.sub(finite(m0))).intoArray(state, correction);
  }

  /**
   * A query that has seen nothing but -inf keeps a maximum of -inf; subtracting it would make NaN
   * of exp(-inf).
   */
  private static FloatVector finite(FloatVector max) {
    return max.blend(0f, max.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
  }

  private static void weigh(
      float[] scores,
      int kc,
      int width,
      int lane,
      float[] state,
      int max,
      int sum,
      int correction,
      MemorySegment weights) {
    FloatVector m = finite(FloatVector.fromArray(Simd.F, state, max));
    FloatVector s = FloatVector.zero(Simd.F);
    for (int j = 0; j < kc; j++) {
      int at = j * width + lane;
      FloatVector e = VectorMath.exp2(FloatVector.fromArray(Simd.F, scores, at).sub(m));
      e.intoMemorySegment(weights, 4L * at, Simd.LE);
      s = s.add(e);
    }
    FloatVector c = FloatVector.fromArray(Simd.F, state, correction);
    FloatVector.fromArray(Simd.F, state, sum).fma(c, s).intoArray(state, sum);
  }

  private static void rescale(
      float[] out, int at, int rows, int vectors, float[] state, int correction) {
    for (int v = 0; v < vectors; v++) {
      FloatVector c = FloatVector.fromArray(Simd.F, state, correction + v * Simd.LANES);
      for (int r = 0; r < rows; r++) {
        int i = at + (r * vectors + v) * Simd.LANES;
        FloatVector.fromArray(Simd.F, out, i).mul(c).intoArray(out, i);
      }
    }
  }

  private static void divide(float[] out, int at, int rows, int vectors, float[] state, int sum) {
    for (int v = 0; v < vectors; v++) {
      FloatVector c = FloatVector.fromArray(Simd.F, state, sum + v * Simd.LANES);
      for (int r = 0; r < rows; r++) {
        int i = at + (r * vectors + v) * Simd.LANES;
        FloatVector.fromArray(Simd.F, out, i).div(c).intoArray(out, i);
      }
    }
  }
}
