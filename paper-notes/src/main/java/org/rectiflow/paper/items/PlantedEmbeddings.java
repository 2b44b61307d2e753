package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.evaluation.Deduplication;
import org.rectiflow.evaluation.KMeans;

/**
 * Embeddings of which some are planted near-duplicates of known similarity, in the place of the
 * paper's training data: random unit vectors, half of which have one copy at a cosine similarity
 * drawn evenly between 0.3 and 1.
 */
final class PlantedEmbeddings {

  static final double LOWEST_SIMILARITY = 0.3;
  private static final int DIMENSION = 128;
  private static final int ORIGINALS = 800;
  private static final int COPIES = 400;

  private final float[][] vectors = new float[ORIGINALS + COPIES][];
  private final List<Integer> items = new ArrayList<>();
  private final double[] similarity = new double[COPIES];

  PlantedEmbeddings(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    double[][] originals = new double[ORIGINALS][];
    for (int i = 0; i < ORIGINALS; i++) {
      originals[i] = direction(random);
      vectors[i] = narrow(originals[i]);
    }
    for (int i = 0; i < COPIES; i++) {
      similarity[i] = random.nextDouble(LOWEST_SIMILARITY, 1);
      vectors[ORIGINALS + i] = narrow(at(originals[i], similarity[i], random));
    }
    for (int i = 0; i < vectors.length; i++) {
      items.add(i);
    }
  }

  /** Number of items, copies included. */
  int size() {
    return vectors.length;
  }

  /** Planted copies above a similarity. */
  int planted(double threshold) {
    int count = 0;
    for (double s : similarity) {
      count += s > threshold ? 1 : 0;
    }
    return count;
  }

  /** What Algorithm 1 removes. */
  Set<Integer> removed(int[] assignment, double threshold) {
    return Deduplication.deduplicate(vectors, items, assignment, threshold);
  }

  /** The cluster of each item. */
  int[] clusters(int count) {
    return KMeans.cluster(vectors, count, 1);
  }

  /** A vector at exactly this cosine similarity to a unit vector. */
  private static double[] at(double[] unit, double cosine, RandomGenerator random) {
    double[] other = direction(random);
    double along = 0;
    for (int k = 0; k < DIMENSION; k++) {
      along += other[k] * unit[k];
    }
    double norm = 0;
    for (int k = 0; k < DIMENSION; k++) {
      other[k] -= along * unit[k];
      norm += other[k] * other[k];
    }
    double scale = Math.sqrt((1 - cosine * cosine) / norm);
    for (int k = 0; k < DIMENSION; k++) {
      other[k] = cosine * unit[k] + scale * other[k];
    }
    return other;
  }

  private static double[] direction(RandomGenerator random) {
    double[] x = new double[DIMENSION];
    double norm = 0;
    for (int k = 0; k < DIMENSION; k++) {
      x[k] = random.nextGaussian();
      norm += x[k] * x[k];
    }
    for (int k = 0; k < DIMENSION; k++) {
      x[k] /= Math.sqrt(norm);
    }
    return x;
  }

  private static float[] narrow(double[] x) {
    float[] y = new float[x.length];
    for (int k = 0; k < y.length; k++) {
      y[k] = (float) x[k];
    }
    return y;
  }
}
