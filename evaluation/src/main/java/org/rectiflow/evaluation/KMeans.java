package org.rectiflow.evaluation;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Lloyd's k-means with k-means++ seeding, which splits a data set before Algorithm 1 searches each
 * part (the paper trains a FAISS index for this, Appendix E.2).
 */
public final class KMeans {

  private static final int MAX_ROUNDS = 100;

  private KMeans() {}

  /**
   * Clusters vectors by squared Euclidean distance, until no assignment changes or 100 rounds.
   *
   * @param vectors of equal length
   * @param clusters between 1 and the number of vectors
   * @param seed equal seeds give equal clusters
   * @return the cluster of each vector, from 0; a cluster may be empty if vectors are equal
   * @throws IllegalArgumentException if clusters is out of range or lengths differ
   */
  public static int[] cluster(float[][] vectors, int clusters, long seed) {
    if (clusters < 1 || clusters > vectors.length) {
      throw new IllegalArgumentException(
          "clusters must be between 1 and the number of vectors %d, found %d"
              .formatted(vectors.length, clusters));
    }
    for (int i = 0; i < vectors.length; i++) {
      if (vectors[i].length != vectors[0].length) {
        throw new IllegalArgumentException(
            "vector %d has %d numbers, vector 0 has %d"
                .formatted(i, vectors[i].length, vectors[0].length));
      }
    }
    double[][] centroids = seedCentroids(vectors, clusters, seed);
    int[] assignment = new int[vectors.length];
    Arrays.fill(assignment, -1);
    for (int round = 0; round < MAX_ROUNDS && assign(vectors, centroids, assignment); round++) {
      update(vectors, centroids, assignment);
    }
    return assignment;
  }

  private static double[][] seedCentroids(float[][] vectors, int clusters, long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    double[][] centroids = new double[clusters][];
    centroids[0] = widen(vectors[random.nextInt(vectors.length)]);
    double[] nearest = new double[vectors.length];
    Arrays.fill(nearest, Double.POSITIVE_INFINITY);
    for (int c = 1; c < clusters; c++) {
      double total = 0;
      for (int i = 0; i < vectors.length; i++) {
        nearest[i] = Math.min(nearest[i], squaredDistance(vectors[i], centroids[c - 1]));
        total += nearest[i];
      }
      double target = random.nextDouble() * total;
      int chosen = 0;
      for (double sum = nearest[0]; chosen < vectors.length - 1 && sum <= target; ) {
        sum += nearest[++chosen];
      }
      centroids[c] = widen(vectors[chosen]);
    }
    return centroids;
  }

  private static boolean assign(float[][] vectors, double[][] centroids, int[] assignment) {
    boolean changed = false;
    for (int i = 0; i < vectors.length; i++) {
      int best = 0;
      double bestDistance = Double.POSITIVE_INFINITY;
      for (int c = 0; c < centroids.length; c++) {
        double distance = squaredDistance(vectors[i], centroids[c]);
        if (distance < bestDistance) {
          bestDistance = distance;
          best = c;
        }
      }
      changed |= assignment[i] != best;
      assignment[i] = best;
    }
    return changed;
  }

  /** Moves each centroid to the mean of its vectors; one without vectors stays where it is. */
  private static void update(float[][] vectors, double[][] centroids, int[] assignment) {
    int[] count = new int[centroids.length];
    double[][] sums = new double[centroids.length][vectors[0].length];
    for (int i = 0; i < vectors.length; i++) {
      count[assignment[i]]++;
      for (int k = 0; k < vectors[i].length; k++) {
        sums[assignment[i]][k] += vectors[i][k];
      }
    }
    for (int c = 0; c < centroids.length; c++) {
      for (int k = 0; count[c] > 0 && k < sums[c].length; k++) {
        centroids[c][k] = sums[c][k] / count[c];
      }
    }
  }

  private static double[] widen(float[] vector) {
    double[] wide = new double[vector.length];
    for (int k = 0; k < wide.length; k++) {
      wide[k] = vector[k];
    }
    return wide;
  }

  private static double squaredDistance(float[] vector, double[] centroid) {
    double sum = 0;
    for (int k = 0; k < vector.length; k++) {
      double difference = vector[k] - centroid[k];
      sum += difference * difference;
    }
    return sum;
  }
}
