package org.rectiflow.evaluation;

import java.util.List;

/**
 * Algorithm 2 of the paper (Appendix E.3, after Carlini et al. 2023): generations of one prompt
 * that resemble each other closely are likely copies of a training picture. Pictures closer than
 * epsilon are connected; a picture in a clique of at least T is marked as memorised.
 */
public final class Memorization {

  /** The paper's epsilon. */
  public static final double PAPER_EPSILON = 0.15;

  /** Tiles along each side; 4 gives the paper's 16 tiles of 128 x 128 pixels at 512 x 512. */
  public static final int PAPER_TILES_PER_SIDE = 4;

  /** The clique size at which Carlini et al. call a picture memorised. */
  public static final int PAPER_CLIQUE_SIZE = 10;

  /** Generations of each prompt in the paper. */
  public static final int PAPER_GENERATIONS = 500;

  private Memorization() {}

  /**
   * The largest distance between corresponding tiles of two pictures. The distance of two tiles is
   * the l2 distance divided by the square root of the number of values (Carlini et al.), so it lies
   * in [0, 1] for pixels in [0, 1]. The maximum keeps pictures apart that merely share a
   * background.
   *
   * @throws IllegalArgumentException if shapes differ or a side is not a multiple of {@code
   *     tilesPerSide}
   */
  public static double tileDistance(PixelImage a, PixelImage b, int tilesPerSide) {
    a.requireSameShape(b);
    if (tilesPerSide < 1 || a.height() % tilesPerSide != 0 || a.width() % tilesPerSide != 0) {
      throw new IllegalArgumentException(
          "a picture of %d x %d pixels cannot be cut into %d x %d equal tiles"
              .formatted(a.height(), a.width(), tilesPerSide, tilesPerSide));
    }
    int tileHeight = a.height() / tilesPerSide;
    int tileWidth = a.width() / tilesPerSide;
    double largest = 0;
    for (int top = 0; top < a.height(); top += tileHeight) {
      for (int left = 0; left < a.width(); left += tileWidth) {
        double sum = 0;
        for (int c = 0; c < a.channels(); c++) {
          for (int row = top; row < top + tileHeight; row++) {
            for (int column = left; column < left + tileWidth; column++) {
              double difference = (double) a.at(c, row, column) - b.at(c, row, column);
              sum += difference * difference;
            }
          }
        }
        largest = Math.max(largest, sum / ((double) a.channels() * tileHeight * tileWidth));
      }
    }
    return Math.sqrt(largest);
  }

  /**
   * Connects generations whose tile distance is below epsilon.
   *
   * @param generations pictures of one prompt, of equal shape
   * @param tilesPerSide see {@link #tileDistance}
   * @param epsilon positive
   */
  public static SimilarityGraph graph(
      List<PixelImage> generations, int tilesPerSide, double epsilon) {
    if (!(epsilon > 0)) {
      throw new IllegalArgumentException("epsilon must be positive, found " + epsilon);
    }
    SimilarityGraph graph = new SimilarityGraph(generations.size());
    for (int i = 0; i < generations.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (tileDistance(generations.get(i), generations.get(j), tilesPerSide) < epsilon) {
          graph.connect(i, j);
        }
      }
    }
    return graph;
  }

  /**
   * Marks the nodes whose largest clique has at least {@code cliqueSize} members. All members of
   * such a clique are marked by this, as the clique contains each of them.
   *
   * @param largestClique from {@link SimilarityGraph#largestCliqueThrough}
   * @throws IllegalArgumentException if cliqueSize is below 2, which every picture would meet
   */
  public static boolean[] memorized(int[] largestClique, int cliqueSize) {
    if (cliqueSize < 2) {
      throw new IllegalArgumentException(
          "a clique of %d is no evidence; cliqueSize must be at least 2".formatted(cliqueSize));
    }
    boolean[] marked = new boolean[largestClique.length];
    for (int i = 0; i < marked.length; i++) {
      marked[i] = largestClique[i] >= cliqueSize;
    }
    return marked;
  }
}
