package org.rectiflow.paper.items;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.rectiflow.evaluation.Deduplication;
import org.rectiflow.evaluation.Memorization;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.evaluation.RangeSearch;
import org.rectiflow.evaluation.SimilarityGraph;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** Algorithms 1 and 2, each on a case small enough to follow by hand. */
public final class Algorithms {

  private static final String[] NAMES = {"a", "b", "c", "d", "e"};

  private Algorithms() {}

  /** Algorithm 1: five directions in the plane, the threshold at 25 degrees. */
  public static Rendering duplicates() {
    double[] degrees = {0, 20, 40, 90, 91};
    float[][] vectors = new float[degrees.length][];
    for (int i = 0; i < degrees.length; i++) {
      double angle = Math.toRadians(degrees[i]);
      vectors[i] = new float[] {(float) Math.cos(angle), (float) Math.sin(angle)};
    }
    double threshold = Math.cos(Math.toRadians(25));
    RangeSearch index = RangeSearch.cosine(vectors);
    Set<String> removed = Deduplication.duplicates(vectors, List.of(NAMES), index, threshold);
    DataTable.Builder table =
        DataTable.of(
            "algorithm-1",
            "Algorithm 1 on five directions, similar within 25 degrees",
            "item",
            "direction [degrees]",
            "within the threshold",
            "result");
    for (int i = 0; i < degrees.length; i++) {
      StringBuilder hits = new StringBuilder();
      for (int hit : index.search(vectors[i], threshold)) {
        if (hit != i) {
          hits.append(hits.isEmpty() ? "" : " ").append(NAMES[hit]);
        }
      }
      table.row(
          NAMES[i],
          Grids.fixed(degrees[i], 0),
          hits.toString(),
          removed.contains(NAMES[i]) ? "removed" : "kept");
    }
    return new Rendering(
        List.of(),
        List.of(table.build()),
        List.of(
            "c is similar to b alone, and b is skipped because a removed it, so c stays: the result"
                + " depends on the order of the items. Figure 16 runs the algorithm on 1200 items."));
  }

  /** Algorithm 2: five pictures of two by two pixels in 2 x 2 tiles. */
  public static Rendering memorization() {
    float[][] pixels = {
      {0.1f, 0.5f, 0.5f, 0.9f},
      {0.1f, 0.5f, 0.6f, 0.9f},
      {0.2f, 0.5f, 0.5f, 0.9f},
      {0.1f, 0.5f, 0.5f, 0.62f},
      {0.9f, 0.1f, 0.2f, 0.3f}
    };
    List<PixelImage> pictures =
        Arrays.stream(pixels).map(data -> new PixelImage(1, 2, 2, data)).toList();
    SimilarityGraph graph = Memorization.graph(pictures, 2, Memorization.PAPER_EPSILON);
    int[] cliques = graph.largestCliqueThrough();
    boolean[] marked = Memorization.memorized(cliques, 3);
    DataTable.Builder table =
        DataTable.of(
            "algorithm-2",
            "Algorithm 2 on five pictures of 2 x 2 pixels, tiles of one pixel, ε = 0.15, T = 3",
            "picture",
            "pixels",
            "distance to a",
            "largest clique",
            "result");
    for (int i = 0; i < pixels.length; i++) {
      table.row(
          NAMES[i],
          Arrays.toString(pixels[i]),
          Grids.fixed(Memorization.tileDistance(pictures.getFirst(), pictures.get(i), 2), 2),
          Integer.toString(cliques[i]),
          marked[i] ? "memorised" : "novel");
    }
    return new Rendering(
        List.of(),
        List.of(table.build()),
        List.of(
            "d equals a in three tiles of four; the maximum over tiles keeps it apart, while over the"
                + " whole picture it is only 0.14 away. Figure 17 runs the algorithm on generations."));
  }
}
