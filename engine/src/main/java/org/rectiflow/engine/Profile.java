package org.rectiflow.engine;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Where the time of a backend's runs went: one entry for each kernel call of each named graph,
 * summed over runs.
 */
public final class Profile {
  private final Map<List<String>, Entry> entries = new LinkedHashMap<>();
  private final Map<List<String>, Entry> overheads = new LinkedHashMap<>();

  /**
   * One node's share.
   *
   * @param op the op's name, or the names of ops run as one kernel
   * @param layer the graph's name and the scope the op was recorded in
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

  /** Adds one run of an op. */
  public void add(String graph, String op, String layer, long nanos, Cost cost) {
    String name = layer.isEmpty() ? graph : graph + "." + layer;
    entries.merge(List.of(op, name), new Entry(op, name, 1, nanos, cost), Entry::plus);
  }

  /**
   * Adds time that is no op's: a device's compilations and copies.
   *
   * @param what the overhead's name: {@code compilation}, {@code copy in}
   * @param bytes bytes that were moved, 0 if none
   */
  public void addOverhead(String graph, String what, long nanos, double bytes) {
    Entry one = new Entry(what, graph, 1, nanos, new Cost(0, bytes));
    overheads.merge(List.of(what, graph), one, Entry::plus);
  }

  /** What {@link #addOverhead} was told, one entry for each graph and name. */
  public List<Entry> overheads() {
    return List.copyOf(overheads.values());
  }

  /** Forgets the runs so far, not the overheads: after a warm-up. */
  public void forgetRuns() {
    entries.clear();
  }

  /** All entries in the order of their first run. */
  public List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  public double seconds() {
    return entries().stream().mapToDouble(Entry::seconds).sum();
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
    for (Entry e : entries()) {
      Entry k = key.apply(e);
      sums.merge(k.op + "|" + k.layer, k, Entry::plus);
    }
    return sums.values().stream()
        .sorted(Comparator.comparingLong(Entry::nanos).reversed())
        .toList();
  }
}
