package org.rectiflow.trainer.data;

import java.io.IOException;
import java.util.stream.IntStream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.Fingerprint;

/** Some examples of a data set, in an order of their own. */
final class Subset implements Dataset {
  private final Dataset whole;
  private final int[] indices;

  private Subset(Dataset whole, int[] indices) {
    this.whole = whole;
    this.indices = indices;
  }

  /** The first {@code count} examples of an order that is the same for every run. */
  static Subset heldOut(Dataset whole, int count) {
    return new Subset(whole, range(whole, 0, count));
  }

  /** All but these. */
  static Subset rest(Dataset whole, int count) {
    return new Subset(whole, range(whole, count, whole.size()));
  }

  private static int[] range(Dataset whole, int from, int to) {
    EpochOrder order = new EpochOrder(0, whole.size());
    return IntStream.range(from, to).map(order::at).sorted().toArray();
  }

  @Override
  public int size() {
    return indices.length;
  }

  @Override
  public Example get(int index) throws IOException {
    return whole.get(indices[index]);
  }

  @Override
  public String fingerprint() throws IOException {
    Fingerprint print = new Fingerprint().add("subset").add(whole.fingerprint());
    for (int index : indices) {
      print.add(index);
    }
    return print.hex();
  }
}
