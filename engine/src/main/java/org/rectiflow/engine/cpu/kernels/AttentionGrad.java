package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.engine.cpu.kernels.Attention.Options;
import org.rectiflow.engine.cpu.kernels.Attention.Tokens;

/**
 * The backward pass of {@link Attention} without a buffer of the size of the score matrix: blocks
 * of probabilities are computed anew from the log-sum-exp of the forward pass (Dao et al.,
 * "FlashAttention", 2022, Appendix B). All five products use {@link Tile}; queries are its rows and
 * keys its columns, so only keys and values are transposed.
 *
 * <p>A task owns a range of keys of one head, whose dk and dv it sums over all queries. Where batch
 * and heads alone give too few tasks, keys are cut into several ranges and their shares of dq are
 * added up afterwards, in order.
 */
public final class AttentionGrad {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);

  /** Most queries and keys of a block, which all five products then find in the cache. */
  private static final int BLOCK = 128;

  private static final int ENOUGH_TASKS = 32;

  /** Elements between rows of a block. */
  private static final int STRIDE = Tile.ROW_STRIDE;

  private static final int TILE = Tile.ROWS * Tile.WIDTH;

  /**
   * A stream of tokens; {@code y} is the result of the forward pass and {@code dy} the derivative
   * by it; dq, dk and dv are written.
   */
  public record Stream(
      int tokens,
      Tokens q,
      Tokens k,
      Tokens v,
      Tokens y,
      Tokens dy,
      Tokens dq,
      Tokens dk,
      Tokens dv) {}

  private AttentionGrad() {}

  /**
   * Computes the derivatives by queries, keys and values.
   *
   * @param options of the forward pass, the log-sum-exp it saved included
   * @param biasGrad float32 [H, T, T] that receives the derivative by the bias, or null
   */
  public static void run(
      Workers workers,
      int batch,
      int heads,
      int dim,
      List<Stream> streams,
      Options options,
      StoredVector biasGrad) {
    new Call(batch, heads, dim, List.copyOf(streams), options, biasGrad).run(workers);
  }

  private static final class Call {
    private final int batch;
    private final int heads;
    private final int dim;
    private final int total;
    private final List<Stream> streams;
    private final Options options;
    private final StoredVector biasGrad;
    private final int block;
    private final int groups;
    private final int groupKeys;
    private final int[] laneRows;

    /** Panels of a head's channels, and blocks of them that a tile sums over in one go. */
    private final int panels;

    private final int depths;

    // Where things lie in the task's array. Rows of q, dy and k have a block for each depth.
    private final int tileRows;
    private final int q;
    private final int dy;
    private final int k;
    private final int p;
    private final int ds;
    private final int score;
    private final int slope;
    private final int dk;
    private final int dv;
    private final int dq;
    private final int dots;
    private final int norms;
    private final int size;

    // Where panels lie in the task's segment.
    private final long kT;
    private final long vT;
    private final long kPanels;
    private final long qPanels;
    private final long dyPanels;
    private final long panelBytes;

    Call(
        int batch,
        int heads,
        int dim,
        List<Stream> streams,
        Options options,
        StoredVector biasGrad) {
      this.batch = batch;
      this.heads = heads;
      this.dim = dim;
      this.total = streams.stream().mapToInt(Stream::tokens).sum();
      this.streams = streams;
      this.options = options;
      this.biasGrad = biasGrad;
      int blocks = MatMul.ceilDiv(total, BLOCK);
      block = MatMul.ceilDiv(total, blocks);
      int wanted = Math.min(blocks, MatMul.ceilDiv(ENOUGH_TASKS, batch * heads));
      groupKeys = MatMul.ceilDiv(blocks, wanted) * block;
      groups = MatMul.ceilDiv(total, groupKeys);
      panels = Panels.count(dim);
      depths = MatMul.ceilDiv(dim, Tile.K_MAX);
      tileRows = MatMul.ceilDiv(block, Tile.ROWS) * Tile.ROWS;
      int lanes = Panels.count(block) * Tile.WIDTH;
      laneRows = new int[lanes];
      int results = tileRows * Tile.WIDTH * panels;
      q = 0;
      dy = q + depths * tileRows * STRIDE;
      k = dy + depths * tileRows * STRIDE;
      p = k + depths * lanes * STRIDE;
      ds = p + tileRows * STRIDE;
      score = ds + tileRows * STRIDE;
      slope = score + TILE;
      dk = slope + TILE;
      dv = dk + results;
      dq = dv + results;
      dots = dq + MatMul.ceilDiv(total, block) * results;
      norms = dots + total;
      size = norms + total;
      for (int r = 0; r < lanes; r++) {
        laneRows[r] = k + r * STRIDE;
      }
      long transposed = 4L * lanes * dim;
      long upright = 4L * block * Tile.WIDTH * panels;
      kT = 0;
      vT = kT + transposed;
      kPanels = vT + transposed;
      qPanels = kPanels + upright;
      dyPanels = qPanels + upright;
      panelBytes = dyPanels + upright;
    }

    void run(Workers workers) {
      MemorySegment shares =
          groups == 1
              ? null
              : workers.shared().segment(3, 4L * batch * heads * groups * total * dim);
      if (biasGrad == null) {
        int all = batch * heads * groups;
        int each = Math.clamp(all / ENOUGH_TASKS, 1, heads);
        workers.parallelFor(
            MatMul.ceilDiv(all, each),
            (piece, scratch) -> {
              for (int t = piece * each; t < Math.min(all, (piece + 1) * each); t++) {
                int bh = t / groups;
                task(bh / heads, bh % heads, t % groups, shares, scratch);
              }
            });
      } else {
        // The bias is the same for all of the batch, so one task sums over it.
        zero(workers);
        workers.parallelFor(
            heads * groups,
            (t, scratch) -> {
              for (int b = 0; b < batch; b++) {
                task(b, t / groups, t % groups, shares, scratch);
              }
            });
      }
      if (groups > 1) {
        workers.parallelFor(
            batch * heads,
            (bh, scratch) -> addShares(bh / heads, bh % heads, shares, scratch.floats(0, size)));
      }
    }

    private void zero(Workers workers) {
      workers.parallelFor(
          heads,
          (h, _) ->
              biasGrad
                  .segment()
                  .asSlice(biasGrad.byteOffset() + 4L * h * total * total, 4L * total * total)
                  .fill((byte) 0));
    }

    private void task(int b, int h, int group, MemorySegment shares, Scratch scratch) {
      float[] x = scratch.floats(0, size);
      MemorySegment to = scratch.segment(0, panelBytes);
      int k0 = group * groupKeys;
      int end = Math.min(total, k0 + groupKeys);
      prepare(b, h, x);
      Arrays.fill(x, dq, dots, 0f);
      for (; k0 < end; k0 += block) {
        keys(b, h, k0, Math.min(block, end - k0), x, to);
      }
      scale(x, dq, dots - dq);
      if (shares == null) {
        for (int q0 = 0; q0 < total; q0 += block) {
          store(b, h, q0, Math.min(block, total - q0), Stream::dq, x, dqAt(q0));
        }
      } else {
        long at = 4L * ((((long) b * heads + h) * groups + group) * total) * dim;
        for (int t = 0; t < total; t++) {
          int from = dqAt(t / block * block);
          for (int j = 0; j < panels; j++) {
            long element = at + 4L * ((long) t * dim + j * Tile.WIDTH);
            int n = Math.min(Tile.WIDTH, dim - j * Tile.WIDTH);
            MemorySegment.copy(x, resultAt(from, t % block, j), shares, FLOAT, element, n);
          }
        }
      }
    }

    /** Where dq of the block of queries from {@code q0} lies. */
    private int dqAt(int q0) {
      return dq + q0 / block * tileRows * Tile.WIDTH * panels;
    }

    /** Where row {@code r}, panel {@code j} of a result in tiles lies. */
    private int resultAt(int base, int r, int j) {
      int width = Panels.vectors(j, dim) * Simd.LANES;
      return base + (r / Tile.ROWS * panels + j) * TILE + r % Tile.ROWS * width;
    }

    /** The log-sum-exp and the product of result and derivative of each query. */
    private void prepare(int b, int h, float[] x) {
      StoredVector lse = options.logSumExp();
      long at = lse.byteOffset() + 4L * (((long) b * heads + h) * total);
      MemorySegment.copy(lse.segment(), FLOAT, at, x, norms, total);
      for (int t0 = 0; t0 < total; t0 += block) {
        int count = Math.min(block, total - t0);
        load(b, h, t0, count, Stream::y, x, q, tileRows);
        load(b, h, t0, count, Stream::dy, x, dy, tileRows);
        for (int t = 0; t < count; t++) {
          float dot = 0;
          for (int d = 0; d < depths; d++) {
            int row = (d * tileRows + t) * STRIDE;
            dot += product(x, q + row, dy + row, Math.min(Tile.K_MAX, dim - d * Tile.K_MAX));
          }
          x[dots + t0 + t] = dot;
        }
      }
    }

    private static float product(float[] x, int a, int b, int n) {
      FloatVector sum = FloatVector.zero(Simd.F);
      int i = 0;
      for (; i <= n - Simd.LANES; i += Simd.LANES) {
        FloatVector left = FloatVector.fromArray(Simd.F, x, a + i);
        sum = left.fma(FloatVector.fromArray(Simd.F, x, b + i), sum);
      }
      float total = Sums.total(sum);
      for (; i < n; i++) {
        total = Math.fma(x[a + i], x[b + i], total);
      }
      return total;
    }

    private void keys(int b, int h, int k0, int kc, float[] x, MemorySegment to) {
      int lanes = laneRows.length;
      load(b, h, k0, kc, Stream::v, x, k, lanes);
      transpose(kc, x, to, vT);
      load(b, h, k0, kc, Stream::k, x, k, lanes);
      transpose(kc, x, to, kT);
      upright(kc, x, k, lanes, to, kPanels);
      boolean begin = true;
      for (int q0 = 0; q0 < total; q0 += block) {
        int qc = Math.min(block, total - q0);
        if (!options.causal() || q0 + qc > k0) {
          if (total > block) {
            load(b, h, q0, qc, Stream::dy, x, dy, tileRows);
          }
          qc = used(qc, x);
          load(b, h, q0, qc, Stream::q, x, q, tileRows);
          upright(qc, x, q, tileRows, to, qPanels);
          upright(qc, x, dy, tileRows, to, dyPanels);
          weights(h, q0, qc, k0, kc, x, to);
          byKey(p, qc, kc, x, to, dyPanels, dv, begin);
          byKey(ds, qc, kc, x, to, qPanels, dk, begin);
          byQuery(q0, qc, kc, x, to);
          begin = false;
        }
      }
      scale(x, dk, dv - dk);
      store(b, h, k0, kc, Stream::dk, x, dk);
      store(b, h, k0, kc, Stream::dv, x, dv);
    }

    /**
     * Queries up to the last whose result matters: the others' derivatives are zero and add
     * nothing, such as those of text in a last block that only lends its keys and values.
     */
    private int used(int qc, float[] x) {
      int last = qc;
      while (last > 1 && isZero(x, dy + (last - 1) * STRIDE)) {
        last--;
      }
      return last;
    }

    private boolean isZero(float[] x, int row) {
      for (int d = 0; d < depths; d++) {
        int at = row + d * tileRows * STRIDE;
        for (int i = 0; i < Math.min(Tile.K_MAX, dim - d * Tile.K_MAX); i++) {
          if (x[at + i] != 0) {
            return false;
          }
        }
      }
      return true;
    }

    /** Probabilities and the derivatives by scores of a block. */
    private void weights(int h, int q0, int qc, int k0, int kc, float[] x, MemorySegment from) {
      for (int t = 0; t < qc; t += Tile.ROWS) {
        for (int j = 0; j < Panels.count(kc); j++) {
          int vectors = Panels.vectors(j, kc);
          int width = vectors * Simd.LANES;
          multiply(vectors, x, q + t * STRIDE, from, kT + 4L * j * Tile.WIDTH * dim, score);
          multiply(vectors, x, dy + t * STRIDE, from, vT + 4L * j * Tile.WIDTH * dim, slope);
          float scale = options.scale();
          if (options.bias() != null) {
            int n = Math.min(width, kc - j * Tile.WIDTH);
            for (int r = 0; r < Math.min(Tile.ROWS, qc - t); r++) {
              addBias(h, q0 + t + r, k0 + j * Tile.WIDTH, n, x, score + r * width);
            }
            scale = 1;
          }
          for (int r = 0; r < Math.min(Tile.ROWS, qc - t); r++) {
            int at = (t + r) * STRIDE + j * Tile.WIDTH;
            float norm = x[norms + q0 + t + r];
            float dot = x[dots + q0 + t + r];
            weigh(x, score + r * width, width, scale, norm, p + at);
            slope(x, slope + r * width, width, p + at, dot, ds + at);
          }
        }
      }
      for (int i = 0; i < qc; i++) {
        int row = i * STRIDE;
        if (options.causal()) {
          int from0 = Math.clamp(q0 + i + 1L - k0, 0, kc);
          Arrays.fill(x, p + row + from0, p + row + kc, 0f);
          Arrays.fill(x, ds + row + from0, ds + row + kc, 0f);
        }
        if (biasGrad != null) {
          addTo(biasGrad, ((long) h * total + q0 + i) * total + k0, kc, x, ds + row);
        }
      }
      // The last tile has queries that are not used: their dq stays zero.
      for (int i = qc; i % Tile.ROWS != 0; i++) {
        Arrays.fill(x, ds + i * STRIDE, ds + i * STRIDE + kc, 0f);
      }
    }

    /** A tile of rows at {@code row} by a panel of transposed rows, over all channels. */
    private void multiply(int vectors, float[] x, int row, MemorySegment panel, long at, int to) {
      for (int d = 0; d < depths; d++) {
        int count = Math.min(Tile.K_MAX, dim - d * Tile.K_MAX);
        long b = at + 4L * d * Tile.K_MAX * vectors * Simd.LANES;
        int w = row + d * tileRows * STRIDE;
        Tile.rows(vectors, x, w, count, panel, b, d == 0 ? Tile.ZEROS : x, d == 0 ? 0 : to, x, to);
      }
    }

    /** For each key the sum over queries of weight times row: dk and dv. */
    private void byKey(
        int weights,
        int qc,
        int kc,
        float[] x,
        MemorySegment rows,
        long at,
        int to,
        boolean begin) {
      for (int t = 0; t < kc; t += Tile.ROWS) {
        for (int j = 0; j < panels; j++) {
          int c = to + (t / Tile.ROWS * panels + j) * TILE;
          Tile.columns(
              Panels.vectors(j, dim),
              x,
              weights + t,
              STRIDE,
              qc,
              rows,
              at + 4L * j * Tile.WIDTH * block,
              begin ? Tile.ZEROS : x,
              begin ? 0 : c,
              x,
              c);
        }
      }
    }

    /** For each query the sum over keys of the derivative by the score times the key: dq. */
    private void byQuery(int q0, int qc, int kc, float[] x, MemorySegment rows) {
      for (int t = 0; t < qc; t += Tile.ROWS) {
        for (int j = 0; j < panels; j++) {
          int c = dqAt(q0) + (t / Tile.ROWS * panels + j) * TILE;
          long b = kPanels + 4L * j * Tile.WIDTH * block;
          Tile.rows(Panels.vectors(j, dim), x, ds + t * STRIDE, kc, rows, b, x, c, x, c);
        }
      }
    }

    /** Scales products of a query with {@code n} keys and adds the bias. */
    private void addBias(int h, int query, int k0, int n, float[] x, int at) {
      StoredVector bias = options.bias();
      long from = bias.byteOffset() + 4 * (((long) h * total + query) * total + k0);
      for (int j = 0; j < n; j++) {
        float scaled = x[at + j] * options.scale();
        x[at + j] = scaled + bias.segment().get(FLOAT, from + 4L * j);
      }
    }

    private static void weigh(float[] x, int at, int width, float scale, float norm, int to) {
      for (int j = 0; j < width; j += Simd.LANES) {
        FloatVector score = FloatVector.fromArray(Simd.F, x, at + j).mul(scale);
        VectorMath.exp(score.sub(norm)).intoArray(x, to + j);
      }
    }

    private static void slope(float[] x, int at, int width, int p, float dot, int to) {
      for (int j = 0; j < width; j += Simd.LANES) {
        FloatVector d = FloatVector.fromArray(Simd.F, x, at + j).sub(dot);
        d.mul(FloatVector.fromArray(Simd.F, x, p + j)).intoArray(x, to + j);
      }
    }

    private static void addTo(StoredVector to, long element, int count, float[] x, int at) {
      for (int j = 0; j < count; j++) {
        long offset = to.byteOffset() + 4 * (element + j);
        to.segment().set(FLOAT, offset, to.segment().get(FLOAT, offset) + x[at + j]);
      }
    }

    private void scale(float[] x, int at, int count) {
      float scale = options.scale();
      for (int i = at; i < at + count; i++) {
        x[i] *= scale;
      }
    }

    /** Rows at {@code k} to panels of columns. */
    private void transpose(int rows, float[] x, MemorySegment to, long at) {
      for (int j = 0; j < Panels.count(rows); j++) {
        int vectors = Panels.vectors(j, rows);
        for (int d = 0; d < depths; d++) {
          int count = Math.min(Tile.K_MAX, dim - d * Tile.K_MAX);
          long panel = at + 4L * (j * Tile.WIDTH * dim + d * Tile.K_MAX * vectors * Simd.LANES);
          int first = d * laneRows.length * STRIDE;
          Panels.gather(x, first, laneRows, j * Tile.WIDTH, count, vectors, to, panel);
        }
      }
    }

    /** Rows at {@code from} to panels of rows. */
    private void upright(int rows, float[] x, int from, int rowsEach, MemorySegment to, long at) {
      for (int j = 0; j < panels; j++) {
        int d = j * Tile.WIDTH / Tile.K_MAX;
        int first = from + d * rowsEach * STRIDE + j * Tile.WIDTH % Tile.K_MAX;
        int width = Panels.vectors(j, dim) * Simd.LANES;
        copyRows(x, first, rows, width, to, at + 4L * j * Tile.WIDTH * block);
      }
    }

    private static void copyRows(
        float[] x, int from, int rows, int width, MemorySegment to, long at) {
      for (int r = 0; r < rows; r++) {
        for (int i = 0; i < width; i += Simd.LANES) {
          FloatVector.fromArray(Simd.F, x, from + i).intoMemorySegment(to, at + 4L * i, Simd.LE);
        }
        from += STRIDE;
        at += 4L * width;
      }
    }

    /** Tokens {@code t0..t0+count} of the concatenation to rows in blocks of channels. */
    private void load(
        int b,
        int h,
        int t0,
        int count,
        Function<Stream, Tokens> which,
        float[] x,
        int to,
        int rowsEach) {
      int start = 0;
      for (Stream s : streams) {
        Tokens from = which.apply(s);
        int begin = Math.max(t0, start);
        int rows = Math.min(t0 + count, start + s.tokens()) - begin;
        for (int d = 0; d < depths && rows > 0; d++) {
          HeadRows.copy(
              from.segment(),
              from.at(b, begin - start, (long) h * dim + d * Tile.K_MAX),
              4 * from.rowStride(),
              rows,
              Math.min(Tile.K_MAX, dim - d * Tile.K_MAX),
              x,
              to + (d * rowsEach + begin - t0) * STRIDE,
              STRIDE);
        }
        start += s.tokens();
      }
    }

    private void store(
        int b, int h, int t0, int count, Function<Stream, Tokens> which, float[] x, int from) {
      int start = 0;
      for (Stream s : streams) {
        Tokens to = which.apply(s);
        int end = Math.min(t0 + count, start + s.tokens());
        for (int t = Math.max(t0, start); t < end; t++) {
          long offset = to.at(b, t - start, (long) h * dim);
          for (int j = 0; j < panels; j++) {
            int n = Math.min(Tile.WIDTH, dim - j * Tile.WIDTH);
            long at = offset + 4L * j * Tile.WIDTH;
            Copies.write(x, resultAt(from, t - t0, j), to.segment(), at, n);
          }
        }
        start += s.tokens();
      }
    }

    private void addShares(int b, int h, MemorySegment shares, float[] x) {
      long head = 4L * ((long) b * heads + h) * groups * total * dim;
      Arrays.fill(x, dq, dots, 0f);
      for (int group = 0; group < groups; group++) {
        for (int t = 0; t < total; t++) {
          int to = dqAt(t / block * block);
          for (int j = 0; j < panels; j++) {
            long at = head + 4L * (((long) group * total + t) * dim + j * Tile.WIDTH);
            int sum = resultAt(to, t % block, j);
            for (int i = 0; i < Math.min(Tile.WIDTH, dim - j * Tile.WIDTH); i++) {
              x[sum + i] += shares.get(FLOAT, at + 4L * i);
            }
          }
        }
      }
      for (int q0 = 0; q0 < total; q0 += block) {
        store(b, h, q0, Math.min(block, total - q0), Stream::dq, x, dqAt(q0));
      }
    }
  }
}
