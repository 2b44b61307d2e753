package org.rectiflow.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Algorithm 1 of the paper (Appendix E.2): finding duplicate items. The data set is first split
 * into clusters, then each cluster is searched by itself. An item that was already marked is
 * skipped, so of every group of duplicates the first one is kept.
 */
public final class Deduplication {

  /** Clusters of the paper's run. */
  public static final int PAPER_CLUSTERS = 16_000;

  private Deduplication() {}

  /**
   * Algorithm 1: duplicates within one cluster.
   *
   * @param vectors embeddings of the cluster
   * @param items the identifier of each vector, in the same order; equal identifiers are one item
   *     and no duplicates of each other
   * @param index range search over {@code vectors}
   * @param threshold passed to the search
   * @return identifiers to remove, in the order in which they were found
   * @throws IllegalArgumentException if there are not as many items as vectors
   */
  public static <T> Set<T> duplicates(
      float[][] vectors, List<T> items, RangeSearch index, double threshold) {
    if (items.size() != vectors.length) {
      throw new IllegalArgumentException(
          "%d vectors need as many items, found %d".formatted(vectors.length, items.size()));
    }
    Set<T> duplicates = new LinkedHashSet<>();
    for (int i = 0; i < vectors.length; i++) {
      T queryItem = items.get(i);
      if (duplicates.contains(queryItem)) {
        continue;
      }
      for (int j : index.search(vectors[i], threshold)) {
        if (!items.get(j).equals(queryItem)) {
          duplicates.add(items.get(j));
        }
      }
    }
    return duplicates;
  }

  /**
   * The whole procedure: clusters the vectors by k-means, then applies Algorithm 1 with cosine
   * similarity inside each cluster. Duplicates that fall into different clusters are not found;
   * that is the price of clustering, and one cluster is the exact search.
   *
   * @param vectors embeddings of equal length
   * @param items a distinct identifier of each vector
   * @param clusters number of clusters, at most the number of vectors
   * @param threshold similarity above which two items are duplicates
   * @param seed of the clustering
   * @return identifiers to remove
   * @throws IllegalArgumentException if lengths differ, identifiers repeat, or clusters is out of
   *     range
   */
  public static <T> Set<T> deduplicate(
      float[][] vectors, List<T> items, int clusters, double threshold, long seed) {
    return deduplicate(vectors, items, KMeans.cluster(vectors, clusters, seed), threshold);
  }

  /**
   * The same over clusters that are known already.
   *
   * @param clusters the cluster of each vector, from 0
   */
  public static <T> Set<T> deduplicate(
      float[][] vectors, List<T> items, int[] clusters, double threshold) {
    if (items.size() != vectors.length || clusters.length != vectors.length) {
      throw new IllegalArgumentException(
          "%d vectors need as many items and clusters, found %d and %d"
              .formatted(vectors.length, items.size(), clusters.length));
    }
    if (new HashSet<>(items).size() != items.size()) {
      throw new IllegalArgumentException("items must be distinct");
    }
    int count = Arrays.stream(clusters).max().orElse(-1) + 1;
    Set<T> duplicates = new LinkedHashSet<>();
    for (int c = 0; c < count; c++) {
      List<float[]> members = new ArrayList<>();
      List<T> memberItems = new ArrayList<>();
      for (int i = 0; i < vectors.length; i++) {
        if (clusters[i] == c) {
          members.add(vectors[i]);
          memberItems.add(items.get(i));
        }
      }
      float[][] cluster = members.toArray(float[][]::new);
      duplicates.addAll(duplicates(cluster, memberItems, RangeSearch.cosine(cluster), threshold));
    }
    return duplicates;
  }
}
