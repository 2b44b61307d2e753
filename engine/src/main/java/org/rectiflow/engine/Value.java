package org.rectiflow.engine;

/**
 * One tensor of a {@link Graph}: the {@code output}-th result of node {@code node}. Values are made
 * by the graph's methods only and mean nothing in another graph.
 */
public final class Value {
  private final int node;
  private final int output;
  private final Shape shape;
  private final ElementType type;

  Value(int node, int output, Shape shape, ElementType type) {
    this.node = node;
    this.output = output;
    this.shape = shape;
    this.type = type;
  }

  /** Index of the producing node in {@link Graph#nodes()}. */
  public int node() {
    return node;
  }

  /** Which of the node's results this is. */
  public int output() {
    return output;
  }

  public Shape shape() {
    return shape;
  }

  public ElementType type() {
    return type;
  }

  @Override
  public String toString() {
    return "%" + node + (output == 0 ? "" : "." + output) + shape;
  }
}
