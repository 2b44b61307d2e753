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
 * "FlashAttention", 2022, Appendix B).
 *
 * <p>A task owns a range of keys of one head, whose dk and dv it sums over all queries. Where batch
 * and heads alone give too few tasks, keys are cut into several ranges and their shares of dq are
 * added up afterwards, in order.
 */
public final class AttentionGrad {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int BLOCK = 64;
  private static final int ENOUGH_TASKS = 32;

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
    private final int padded;
    private final int total;
    private final List<Stream> streams;
    private final Options options;
    private final StoredVector biasGrad;
    private final int groups;
    private final int groupKeys;

    // Where things lie in the task's array.
    private final int k;
    private final int kT;
    private final int vT;
    private final int q;
    private final int dy;
    private final int p;
    private final int ds;
    private final int dk;
    private final int dv;
    private final int dq;
    private final int dots;
    private final int norms;
    private final int size;

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
      this.padded = MatMul.ceilDiv(dim, Simd.LANES) * Simd.LANES;
      this.total = streams.stream().mapToInt(Stream::tokens).sum();
      this.streams = streams;
      this.options = options;
      this.biasGrad = biasGrad;
      int blocks = MatMul.ceilDiv(total, BLOCK);
      int wanted = Math.min(blocks, MatMul.ceilDiv(ENOUGH_TASKS, batch * heads));
      groupKeys = MatMul.ceilDiv(blocks, wanted) * BLOCK;
      groups = MatMul.ceilDiv(total, groupKeys);
      k = 0;
      kT = k + BLOCK * padded;
      vT = kT + BLOCK * padded;
      q = vT + BLOCK * padded;
      dy = q + BLOCK * padded;
      p = dy + BLOCK * padded;
      ds = p + BLOCK * BLOCK;
      dk = ds + BLOCK * BLOCK;
      dv = dk + BLOCK * padded;
      dq = dv + BLOCK * padded;
      dots = dq + total * padded;
      norms = dots + total;
      size = norms + total;
    }

    void run(Workers workers) {
      MemorySegment shares =
          groups == 1
              ? null
              : workers.shared().segment(3, 4L * batch * heads * groups * total * dim);
      if (biasGrad == null) {
        workers.parallelFor(
            batch * heads * groups,
            (t, scratch) -> {
              int bh = t / groups;
              float[] lanes = scratch.floats(1, Simd.LANES);
              float[] x = scratch.floats(0, size);
              task(bh / heads, bh % heads, t % groups, shares, x, lanes);
            });
      } else {
        // The bias is the same for all of the batch, so one task sums over it.
        zero(workers);
        workers.parallelFor(
            heads * groups,
            (t, scratch) -> {
              float[] lanes = scratch.floats(1, Simd.LANES);
              float[] x = scratch.floats(0, size);
              for (int b = 0; b < batch; b++) {
                task(b, t / groups, t % groups, shares, x, lanes);
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

    private void task(int b, int h, int group, MemorySegment shares, float[] x, float[] lanes) {
      int k0 = group * groupKeys;
      int end = Math.min(total, k0 + groupKeys);
      prepare(b, h, x, lanes);
      Arrays.fill(x, dq, dq + total * padded, 0f);
      for (; k0 < end; k0 += BLOCK) {
        keys(b, h, k0, Math.min(BLOCK, end - k0), x);
      }
      scale(x, dq, total * padded);
      if (shares == null) {
        store(b, h, 0, total, Stream::dq, x, dq);
      } else {
        long at = 4L * ((((long) b * heads + h) * groups + group) * total) * dim;
        for (int t = 0; t < total; t++) {
          MemorySegment.copy(x, dq + t * padded, shares, FLOAT, at + 4L * t * dim, dim);
        }
      }
    }

    /** The log-sum-exp and the product of result and derivative of each query. */
    private void prepare(int b, int h, float[] x, float[] lanes) {
      StoredVector lse = options.logSumExp();
      long at = lse.byteOffset() + 4L * (((long) b * heads + h) * total);
      MemorySegment.copy(lse.segment(), FLOAT, at, x, norms, total);
      for (int t0 = 0; t0 < total; t0 += BLOCK) {
        int count = Math.min(BLOCK, total - t0);
        load(b, h, t0, count, Stream::y, x, q);
        load(b, h, t0, count, Stream::dy, x, dy);
        for (int t = 0; t < count; t++) {
          product(x, q + t * padded, dy + t * padded, padded, lanes);
          x[dots + t0 + t] = (float) Sums.lanes(lanes, 0);
        }
      }
    }

    /** The product of two rows, lane by lane. */
    private static void product(float[] x, int a, int b, int n, float[] lanes) {
      FloatVector sum = FloatVector.zero(Simd.F);
      for (int i = 0; i < n; i += Simd.LANES) {
        FloatVector left = FloatVector.fromArray(Simd.F, x, a + i);
        sum = left.fma(FloatVector.fromArray(Simd.F, x, b + i), sum);
      }
      sum.intoArray(lanes, 0);
    }

    private void keys(int b, int h, int k0, int kc, float[] x) {
      load(b, h, k0, kc, Stream::v, x, k);
      transpose(kc, x, vT);
      load(b, h, k0, kc, Stream::k, x, k);
      transpose(kc, x, kT);
      Arrays.fill(x, dk, dk + BLOCK * padded, 0f);
      Arrays.fill(x, dv, dv + BLOCK * padded, 0f);
      for (int q0 = 0; q0 < total; q0 += BLOCK) {
        int qc = Math.min(BLOCK, total - q0);
        if (!options.causal() || q0 + qc > k0) {
          block(b, h, q0, qc, k0, kc, x);
        }
      }
      scale(x, dk, kc * padded);
      store(b, h, k0, kc, Stream::dk, x, dk);
      store(b, h, k0, kc, Stream::dv, x, dv);
    }

    private void block(int b, int h, int q0, int qc, int k0, int kc, float[] x) {
      load(b, h, q0, qc, Stream::q, x, q);
      load(b, h, q0, qc, Stream::dy, x, dy);
      int width = MatMul.ceilDiv(kc, Simd.LANES) * Simd.LANES;
      Arrays.fill(x, p, p + qc * BLOCK, 0f);
      Arrays.fill(x, ds, ds + qc * BLOCK, 0f);
      BlockProduct.run(qc, width, dim, x, q, padded, 1, x, kT, BLOCK, x, p, BLOCK);
      BlockProduct.run(qc, width, dim, x, dy, padded, 1, x, vT, BLOCK, x, ds, BLOCK);
      for (int i = 0; i < qc; i++) {
        scores(h, q0 + i, k0, kc, x, p + i * BLOCK);
        weigh(x, p + i * BLOCK, width, x[norms + q0 + i]);
        if (options.causal()) {
          int from = Math.clamp(q0 + i + 1L - k0, 0, BLOCK);
          Arrays.fill(x, p + i * BLOCK + from, p + (i + 1) * BLOCK, 0f);
        }
        slope(x, p + i * BLOCK, ds + i * BLOCK, width, x[dots + q0 + i]);
        if (biasGrad != null) {
          addTo(biasGrad, ((long) h * total + q0 + i) * total + k0, kc, x, ds + i * BLOCK);
        }
      }
      BlockProduct.run(kc, padded, qc, x, p, 1, BLOCK, x, dy, padded, x, dv, padded);
      BlockProduct.run(kc, padded, qc, x, ds, 1, BLOCK, x, q, padded, x, dk, padded);
      BlockProduct.run(qc, padded, kc, x, ds, BLOCK, 1, x, k, padded, x, dq + q0 * padded, padded);
    }

    /** Scales a row of products and adds the bias. */
    private void scores(int h, int query, int k0, int kc, float[] x, int at) {
      for (int j = 0; j < BLOCK; j++) {
        x[at + j] *= options.scale();
      }
      if (options.bias() != null) {
        StoredVector bias = options.bias();
        long from = bias.byteOffset() + 4 * (((long) h * total + query) * total + k0);
        for (int j = 0; j < kc; j++) {
          x[at + j] += bias.segment().get(FLOAT, from + 4L * j);
        }
      }
    }

    private static void weigh(float[] x, int at, int width, float norm) {
      for (int j = 0; j < width; j += Simd.LANES) {
        VectorMath.exp(FloatVector.fromArray(Simd.F, x, at + j).sub(norm)).intoArray(x, at + j);
      }
    }

    private static void slope(float[] x, int p, int ds, int width, float dot) {
      for (int j = 0; j < width; j += Simd.LANES) {
        FloatVector d = FloatVector.fromArray(Simd.F, x, ds + j).sub(dot);
        d.mul(FloatVector.fromArray(Simd.F, x, p + j)).intoArray(x, ds + j);
      }
    }

    private static void addTo(StoredVector to, long element, int count, float[] x, int at) {
      for (int j = 0; j < count; j++) {
        long offset = to.byteOffset() + 4 * (element + j);
        to.segment().set(FLOAT, offset, to.segment().get(FLOAT, offset) + x[at + j]);
      }
    }

    private void scale(float[] x, int at, int count) {
      for (int i = at; i < at + count; i++) {
        x[i] *= options.scale();
      }
    }

    /** The block of rows at {@code k} to columns. */
    private void transpose(int rows, float[] x, int to) {
      for (int d = 0; d < dim; d++) {
        for (int r = 0; r < rows; r++) {
          x[to + d * BLOCK + r] = x[k + r * padded + d];
        }
        Arrays.fill(x, to + d * BLOCK + rows, to + (d + 1) * BLOCK, 0f);
      }
    }

    /** Tokens {@code t0..t0+count} of the concatenation to rows padded with zeros. */
    private void load(
        int b, int h, int t0, int count, Function<Stream, Tokens> which, float[] x, int to) {
      int start = 0;
      for (Stream s : streams) {
        Tokens from = which.apply(s);
        int end = Math.min(t0 + count, start + s.tokens());
        for (int t = Math.max(t0, start); t < end; t++) {
          int at = to + (t - t0) * padded;
          long offset = from.at(b, t - start, (long) h * dim);
          Copies.read(from.segment(), offset, x, at, dim);
          Arrays.fill(x, at + dim, at + padded, 0f);
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
          Copies.write(x, from + (t - t0) * padded, to.segment(), offset, dim);
        }
        start += s.tokens();
      }
    }

    private void addShares(int b, int h, MemorySegment shares, float[] x) {
      long head = 4L * ((long) b * heads + h) * groups * total * dim;
      Arrays.fill(x, dq, dq + total * padded, 0f);
      for (int group = 0; group < groups; group++) {
        for (int t = 0; t < total; t++) {
          long at = head + 4L * ((long) group * total + t) * dim;
          MemorySegment.copy(shares, FLOAT, at, x, q, dim);
          for (int i = 0; i < dim; i++) {
            x[dq + t * padded + i] += x[q + i];
          }
        }
      }
      store(b, h, 0, total, Stream::dq, x, dq);
    }
  }
}
