package org.rectiflow.engine.cpu;

import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Roofs;
import org.rectiflow.engine.cpu.kernels.Ceilings;
import org.rectiflow.engine.cpu.kernels.Simd;
import org.rectiflow.engine.cpu.kernels.Workers;

/**
 * The default backend: the Vector API on all processors, weights read in their stored type, results
 * independent of the number of threads.
 */
public final class CpuBackend implements Backend {
  private final Workers workers;
  private final Profile profile = new Profile();
  private Optional<WarmUp> warmUp = Optional.empty();

  /**
   * @param threads threads that compute, the caller among them
   */
  public CpuBackend(int threads) {
    this.workers = new Workers(threads);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String describe() {
    return "%d threads, vectors of %d bits".formatted(workers.threads(), Simd.bits());
  }

  @Override
  public Executable compile(String name, Graph graph) {
    warmUp.ifPresent(WarmUp::await);
    return new CpuExecutable(name, graph, workers, profile);
  }

  @Override
  public long arenaBytes(Graph graph) {
    return MemoryPlan.of(graph, CpuFusion.of(graph)).arenaBytes();
  }

  @Override
  public Profile profile() {
    return profile;
  }

  @Override
  public Optional<Roofs> roofs() {
    return Optional.of(Ceilings.measure(workers));
  }

  @Override
  public void warmUp() {
    if (warmUp.isEmpty()) {
      warmUp = Optional.of(new WarmUp());
    }
  }

  @Override
  public void close() {
    workers.close();
  }
}
