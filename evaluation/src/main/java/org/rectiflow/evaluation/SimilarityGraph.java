package org.rectiflow.evaluation;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** An undirected graph whose cliques are groups of images that all resemble each other. */
public final class SimilarityGraph {

  private final BitSet[] neighbours;

  /** A graph of this many nodes and no edges. */
  public SimilarityGraph(int nodes) {
    if (nodes < 0) {
      throw new IllegalArgumentException("a graph cannot have %d nodes".formatted(nodes));
    }
    neighbours = new BitSet[nodes];
    for (int i = 0; i < nodes; i++) {
      neighbours[i] = new BitSet(nodes);
    }
  }

  /** Number of nodes. */
  public int nodes() {
    return neighbours.length;
  }

  /** Number of edges. */
  public int edges() {
    int twice = 0;
    for (BitSet row : neighbours) {
      twice += row.cardinality();
    }
    return twice / 2;
  }

  /**
   * Connects two nodes.
   *
   * @throws IllegalArgumentException if they are one node
   * @throws IndexOutOfBoundsException if one does not exist
   */
  public void connect(int a, int b) {
    if (a == b) {
      throw new IllegalArgumentException("node %d cannot be connected with itself".formatted(a));
    }
    neighbours[a].set(b);
    neighbours[b].set(a);
  }

  /**
   * The size of the largest clique that contains each node; 1 for a node without edges. Exact:
   * branch and bound with a greedy colouring as the bound (Tomita and Seki 2003), in one search per
   * node that the cliques of earlier nodes do not settle.
   */
  public int[] largestCliqueThrough() {
    int[] size = new int[nodes()];
    for (int v = 0; v < nodes(); v++) {
      Search search = new Search(size[v]);
      search.expand(List.of(v), neighbours[v]);
      // Every member of the clique found lies in a clique at least this large.
      for (int member : search.best) {
        size[member] = Math.max(size[member], search.best.size());
      }
    }
    return size;
  }

  /** One branch and bound; {@code best} stays empty if no clique larger than the floor exists. */
  private final class Search {
    private int bestSize;
    private List<Integer> best = List.of();

    private Search(int floor) {
      bestSize = floor;
    }

    private void expand(List<Integer> clique, BitSet candidates) {
      if (candidates.isEmpty()) {
        if (clique.size() > bestSize) {
          bestSize = clique.size();
          best = clique;
        }
        return;
      }
      List<Integer> order = new ArrayList<>();
      List<Integer> colours = new ArrayList<>();
      colour(candidates, order, colours);
      BitSet remaining = (BitSet) candidates.clone();
      for (int i = order.size() - 1; i >= 0; i--) {
        // A clique has at most one node of each colour.
        if (clique.size() + colours.get(i) <= bestSize) {
          return;
        }
        int v = order.get(i);
        List<Integer> larger = new ArrayList<>(clique);
        larger.add(v);
        BitSet next = (BitSet) remaining.clone();
        next.and(neighbours[v]);
        expand(larger, next);
        remaining.clear(v);
      }
    }

    private void colour(BitSet candidates, List<Integer> order, List<Integer> colours) {
      BitSet uncoloured = (BitSet) candidates.clone();
      for (int colour = 1; !uncoloured.isEmpty(); colour++) {
        BitSet free = (BitSet) uncoloured.clone();
        for (int v = free.nextSetBit(0); v >= 0; v = free.nextSetBit(v + 1)) {
          order.add(v);
          colours.add(colour);
          uncoloured.clear(v);
          free.andNot(neighbours[v]);
        }
      }
    }
  }
}
