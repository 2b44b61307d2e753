package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class DeduplicationTest {

  @Test
  void keepsTheFirstOfEveryPlantedGroup() {
    Planted planted = planted(40, 5, 64, 11);
    Set<Integer> found =
        Deduplication.duplicates(
            planted.vectors, planted.items, RangeSearch.cosine(planted.vectors), 0.9);
    assertThat(found).containsExactlyInAnyOrderElementsOf(planted.copies);
  }

  @Test
  void fewClustersFindTheSameDuplicates() {
    Planted planted = planted(40, 5, 64, 12);
    for (int clusters : new int[] {1, 2, 4}) {
      assertThat(Deduplication.deduplicate(planted.vectors, planted.items, clusters, 0.9, 1))
          .containsExactlyInAnyOrderElementsOf(planted.copies);
    }
  }

  /** More clusters may cut a group in two, which loses duplicates but never invents one. */
  @Test
  void manyClustersMissDuplicatesAtMost() {
    Planted planted = planted(40, 5, 64, 12);
    assertThat(Deduplication.deduplicate(planted.vectors, planted.items, 60, 0.9, 1))
        .isSubsetOf(planted.copies)
        .hasSizeGreaterThan(planted.copies.size() * 3 / 4);
  }

  /** b is near a and c is near b, but c is not near a: b goes, and being gone removes nothing. */
  @Test
  void skipsMarkedItems() {
    float[][] vectors = {direction(0), direction(20), direction(40)};
    List<String> items = List.of("a", "b", "c");
    double threshold = Math.cos(Math.toRadians(25));
    assertThat(Deduplication.duplicates(vectors, items, RangeSearch.cosine(vectors), threshold))
        .containsExactly("b");
    float[][] reordered = {direction(20), direction(0), direction(40)};
    assertThat(
            Deduplication.duplicates(
                reordered, List.of("b", "a", "c"), RangeSearch.cosine(reordered), threshold))
        .containsExactly("a", "c");
  }

  @Test
  void equalIdentifiersAreOneItem() {
    float[][] vectors = {direction(0), direction(0), direction(90)};
    assertThat(
            Deduplication.duplicates(
                vectors, List.of("a", "a", "b"), RangeSearch.cosine(vectors), 0.5))
        .isEmpty();
  }

  @Test
  void thresholdsRemoveMonotonically() {
    Planted planted = planted(60, 3, 16, 13);
    int last = Integer.MAX_VALUE;
    for (double threshold = -0.5; threshold < 1; threshold += 0.1) {
      int removed =
          Deduplication.duplicates(
                  planted.vectors, planted.items, RangeSearch.cosine(planted.vectors), threshold)
              .size();
      assertThat(removed).isLessThanOrEqualTo(last);
      last = removed;
    }
  }

  @Test
  void rangeSearchIsStrict() {
    float[][] vectors = {{1, 0}, {0, 2}, {3, 0}};
    RangeSearch search = RangeSearch.cosine(vectors);
    assertThat(search.search(new float[] {5, 0}, 0)).containsExactly(0, 2);
    assertThat(search.search(new float[] {5, 0}, 1)).isEmpty();
    assertThat(search.search(new float[] {5, 0}, -0.1)).containsExactly(0, 1, 2);
  }

  @Test
  void kMeansFindsSeparatedClusters() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(5);
    float[][] vectors = new float[300][2];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i][0] = (float) (10 * (i % 3) + random.nextGaussian());
      vectors[i][1] = (float) (-10 * (i % 3) + random.nextGaussian());
    }
    int[] clusters = KMeans.cluster(vectors, 3, 9);
    for (int i = 0; i < vectors.length; i++) {
      assertThat(clusters[i]).isEqualTo(clusters[i % 3]);
    }
    assertThat(new TreeSet<>(List.of(clusters[0], clusters[1], clusters[2]))).hasSize(3);
    assertThat(KMeans.cluster(vectors, 3, 9)).isEqualTo(clusters);
  }

  @Test
  void kMeansOfEqualVectors() {
    float[][] vectors = {{1, 1}, {1, 1}, {1, 1}};
    assertThat(KMeans.cluster(vectors, 2, 1)).containsOnly(0);
  }

  @Test
  void refusesWrongInput() {
    float[][] vectors = {{1, 0}, {0, 1}};
    RangeSearch index = RangeSearch.cosine(vectors);
    assertThatThrownBy(() -> Deduplication.duplicates(vectors, List.of(1), index, 0.5))
        .hasMessageContaining("2 vectors need as many items, found 1");
    assertThatThrownBy(() -> Deduplication.deduplicate(vectors, List.of(1), 1, 0.5, 0))
        .hasMessageContaining("2 vectors need as many items and clusters, found 1 and 2");
    assertThatThrownBy(() -> Deduplication.deduplicate(vectors, List.of(1, 1), 1, 0.5, 0))
        .hasMessageContaining("distinct");
    assertThatThrownBy(() -> Deduplication.deduplicate(vectors, List.of(1, 2), 3, 0.5, 0))
        .hasMessageContaining("between 1 and the number of vectors 2, found 3");
    assertThatThrownBy(() -> RangeSearch.cosine(new float[][] {{1, 0}, {1}}))
        .hasMessageContaining("vector 1 has 1 numbers, expected 2");
    assertThatThrownBy(() -> RangeSearch.cosine(new float[][] {{0, 0}}))
        .hasMessageContaining("vector 0 has the norm 0");
    assertThatThrownBy(() -> index.search(new float[] {1, 0, 0}, 0.5))
        .hasMessageContaining("the query has 3 numbers, expected 2");
    assertThatThrownBy(() -> KMeans.cluster(new float[][] {{1}, {1, 2}}, 1, 0))
        .hasMessageContaining("vector 1 has 2 numbers");
  }

  @SuppressWarnings("ArrayRecordComponent")
  private record Planted(float[][] vectors, List<Integer> items, List<Integer> copies) {}

  /** Random directions, each followed later by noisy copies of itself. */
  private static Planted planted(int originals, int copiesEach, int dimension, long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    List<float[]> vectors = new ArrayList<>();
    List<Integer> items = new ArrayList<>();
    List<Integer> copies = new ArrayList<>();
    for (int i = 0; i < originals; i++) {
      float[] vector = new float[dimension];
      for (int k = 0; k < dimension; k++) {
        vector[k] = (float) random.nextGaussian();
      }
      vectors.add(vector);
      items.add(i);
    }
    for (int c = 0; c < copiesEach; c++) {
      for (int i = 0; i < originals; i++) {
        float[] copy = vectors.get(i).clone();
        for (int k = 0; k < dimension; k++) {
          copy[k] += (float) (0.05 * random.nextGaussian());
        }
        int item = 1000 * (c + 1) + i;
        vectors.add(copy);
        items.add(item);
        copies.add(item);
      }
    }
    return new Planted(vectors.toArray(float[][]::new), items, copies);
  }

  private static float[] direction(double degrees) {
    return new float[] {
      (float) Math.cos(Math.toRadians(degrees)), (float) Math.sin(Math.toRadians(degrees))
    };
  }
}
