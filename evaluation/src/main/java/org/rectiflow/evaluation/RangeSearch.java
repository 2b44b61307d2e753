package org.rectiflow.evaluation;

import java.util.Arrays;

/**
 * Exact range search over a set of vectors: the part of a FAISS index that Algorithm 1 uses.
 * Comparisons are strict, as in FAISS.
 */
@FunctionalInterface
public interface RangeSearch {

  /**
   * Finds the vectors within a threshold of a query.
   *
   * @param query of the same length as the vectors
   * @param threshold meaning depends on the search: a least similarity or a greatest distance
   * @return indices in ascending order; a query that is one of the vectors finds itself
   */
  int[] search(float[] query, double threshold);

  /**
   * Finds vectors whose cosine similarity with the query is above the threshold. SSCD descriptors
   * are compared this way.
   *
   * @throws IllegalArgumentException if lengths differ or a vector is zero
   */
  static RangeSearch cosine(float[][] vectors) {
    double[] norms = new double[vectors.length];
    for (int i = 0; i < vectors.length; i++) {
      norms[i] = norm(vectors[i], i, vectors[0].length);
    }
    return (query, threshold) -> {
      double norm = norm(query, -1, vectors.length == 0 ? query.length : vectors[0].length);
      int[] hits = new int[vectors.length];
      int count = 0;
      for (int i = 0; i < vectors.length; i++) {
        if (dot(query, vectors[i]) > threshold * norm * norms[i]) {
          hits[count++] = i;
        }
      }
      return Arrays.copyOf(hits, count);
    };
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += (double) a[k] * b[k];
    }
    return sum;
  }

  private static double norm(float[] vector, int index, int length) {
    String name = index < 0 ? "the query" : "vector " + index;
    if (vector.length != length) {
      throw new IllegalArgumentException(
          "%s has %d numbers, expected %d".formatted(name, vector.length, length));
    }
    double norm = Math.sqrt(dot(vector, vector));
    if (!(norm > 0) || Double.isInfinite(norm)) {
      throw new IllegalArgumentException(
          "%s has the norm %s; a cosine needs a finite, positive one".formatted(name, norm));
    }
    return norm;
  }
}
