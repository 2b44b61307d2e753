package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Where the time of a graph's runs went: one entry a node, summed over runs. Executables of several
 * graphs can be added up into one profile.
 */
public final class Profile {
  private final List<Entry> entries = new ArrayList<>();

  /**
   * One node's share.
   *
   * @param op the op's name
   * @param layer the scope it was recorded in
   * @param runs how often it ran
   * @param nanos time of all runs
   * @param cost least work of all runs
   */
  public record Entry(String op, String layer, long runs, long nanos, Cost cost) {
    private Entry plus(Entry other) {
      return new Entry(op, layer, runs + other.runs, nanos + other.nanos, cost.plus(other.cost));
    }

    public double seconds() {
      return nanos * 1e-9;
    }

    /** Achieved arithmetic rate in units of 10^9 operations a second. */
    public double gflops() {
      return nanos == 0 ? 0 : cost.flops() / nanos;
    }

    /** Achieved rate of necessary memory traffic in units of 10^9 bytes a second. */
    public double gigabytesPerSecond() {
      return nanos == 0 ? 0 : cost.bytes() / nanos;
    }
  }

  /** Adds one entry. */
  public void add(Entry entry) {
    entries.add(entry);
  }

  /** Adds all entries of another profile, layers prefixed by {@code name} and a dot. */
  public void addAll(String name, Profile other) {
    for (Entry e : other.entries) {
      String layer = e.layer.isEmpty() ? name : name + "." + e.layer;
      add(new Entry(e.op, layer, e.runs, e.nanos, e.cost));
    }
  }

  public List<Entry> entries() {
    return Collections.unmodifiableList(entries);
  }

  public double seconds() {
    return entries.stream().mapToDouble(Entry::seconds).sum();
  }

  /** Entries summed by op, the longest first. */
  public List<Entry> byOp() {
    return grouped(e -> new Entry(e.op, "", e.runs, e.nanos, e.cost));
  }

  /** Entries summed by the first {@code depth} names of their layer, the longest first. */
  public List<Entry> byLayer(int depth) {
    return grouped(e -> new Entry("", prefix(e.layer, depth), e.runs, e.nanos, e.cost));
  }

  private static String prefix(String layer, int depth) {
    int end = 0;
    for (int i = 0; i < depth && end >= 0; i++) {
      end = layer.indexOf('.', end == 0 ? 0 : end + 1);
    }
    return end <= 0 ? layer : layer.substring(0, end);
  }

  private List<Entry> grouped(Function<Entry, Entry> key) {
    Map<String, Entry> sums = new LinkedHashMap<>();
    for (Entry e : entries) {
      Entry k = key.apply(e);
      sums.merge(k.op + "|" + k.layer, k, Entry::plus);
    }
    return sums.values().stream()
        .sorted(Comparator.comparingLong(Entry::nanos).reversed())
        .toList();
  }
}
