package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MemorizationTest {

  @Test
  void distanceIsTheWorstTile() {
    PixelImage a = picture(0.5f);
    float[] data = a.data().clone();
    // Two pixels of the last of the 16 tiles of 2 x 2 x 3 values.
    data[63] += 0.3f;
    data[62] += 0.4f;
    PixelImage b = new PixelImage(3, 8, 8, data);
    assertThat(Memorization.tileDistance(a, b, 4)).isCloseTo(Math.sqrt(0.25 / 12), within(1e-6));
    assertThat(Memorization.tileDistance(a, b, 1)).isCloseTo(Math.sqrt(0.25 / 192), within(1e-6));
    assertThat(Memorization.tileDistance(a, a, 4)).isZero();
    assertThat(Memorization.tileDistance(picture(0), picture(1), 4)).isEqualTo(1);
  }

  @Test
  void findsPlantedCopiesAmongNovelPictures() {
    SplittableRandom random = new SplittableRandom(2);
    List<PixelImage> generations = new ArrayList<>();
    PixelImage first = noise(random);
    PixelImage second = noise(random);
    for (int i = 0; i < 40; i++) {
      PixelImage source = i % 4 == 0 ? first : i % 8 == 1 ? second : noise(random);
      generations.add(jittered(source, random));
    }
    SimilarityGraph graph =
        Memorization.graph(
            generations, Memorization.PAPER_TILES_PER_SIDE, Memorization.PAPER_EPSILON);
    assertThat(graph.edges()).isEqualTo(10 * 9 / 2 + 5 * 4 / 2);
    int[] cliques = graph.largestCliqueThrough();
    boolean[] ten = Memorization.memorized(cliques, 10);
    boolean[] five = Memorization.memorized(cliques, 5);
    boolean[] eleven = Memorization.memorized(cliques, 11);
    for (int i = 0; i < 40; i++) {
      assertThat(ten[i]).isEqualTo(i % 4 == 0);
      assertThat(five[i]).isEqualTo(i % 4 == 0 || i % 8 == 1);
      assertThat(eleven[i]).isFalse();
    }
  }

  /** Against every subset of nodes, on random graphs. */
  @Test
  void largestCliquesAreExact() {
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 40; round++) {
      int n = 12;
      double density = random.nextDouble();
      boolean[][] adjacent = new boolean[n][n];
      SimilarityGraph graph = new SimilarityGraph(n);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          if (random.nextDouble() < density) {
            graph.connect(i, j);
            adjacent[i][j] = true;
            adjacent[j][i] = true;
          }
        }
      }
      assertThat(graph.largestCliqueThrough()).containsExactly(bruteForce(adjacent));
    }
  }

  @Test
  void wholeGraphOf500IsOneClique() {
    SimilarityGraph graph = new SimilarityGraph(500);
    for (int i = 0; i < 500; i++) {
      for (int j = 0; j < i; j++) {
        graph.connect(i, j);
      }
    }
    assertThat(graph.largestCliqueThrough()).containsOnly(500);
  }

  @Test
  void refusesWrongInput() {
    assertThatThrownBy(() -> Memorization.tileDistance(picture(0), picture(0), 3))
        .hasMessageContaining("8 x 8 pixels cannot be cut into 3 x 3");
    PixelImage other = new PixelImage(1, 8, 8, new float[64]);
    assertThatThrownBy(() -> Memorization.tileDistance(picture(0), other, 4))
        .hasMessageContaining("differ in shape");
    assertThatThrownBy(() -> Memorization.graph(List.of(), 4, 0))
        .hasMessageContaining("epsilon must be positive");
    assertThatThrownBy(() -> Memorization.memorized(new int[0], 1))
        .hasMessageContaining("at least 2");
    assertThatThrownBy(() -> new SimilarityGraph(2).connect(1, 1))
        .hasMessageContaining("node 1 cannot be connected with itself");
    assertThatThrownBy(() -> new SimilarityGraph(2).connect(1, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new SimilarityGraph(-1)).hasMessageContaining("-1 nodes");
  }

  private static int[] bruteForce(boolean[][] adjacent) {
    int n = adjacent.length;
    int[] largest = new int[n];
    for (int subset = 1; subset < 1 << n; subset++) {
      boolean clique = true;
      for (int i = 0; clique && i < n; i++) {
        for (int j = 0; clique && j < i; j++) {
          boolean both = (subset >> i & 1) == 1 && (subset >> j & 1) == 1;
          clique = !both || adjacent[i][j];
        }
      }
      for (int i = 0; clique && i < n; i++) {
        if ((subset >> i & 1) == 1) {
          largest[i] = Math.max(largest[i], Integer.bitCount(subset));
        }
      }
    }
    return largest;
  }

  private static PixelImage picture(float value) {
    float[] data = new float[192];
    Arrays.fill(data, value);
    return new PixelImage(3, 8, 8, data);
  }

  private static PixelImage noise(SplittableRandom random) {
    float[] data = new float[192];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextDouble();
    }
    return new PixelImage(3, 8, 8, data);
  }

  private static PixelImage jittered(PixelImage source, SplittableRandom random) {
    float[] data = source.data().clone();
    for (int i = 0; i < data.length; i++) {
      data[i] += (float) random.nextDouble(-0.05, 0.05);
    }
    return new PixelImage(3, 8, 8, data);
  }
}
