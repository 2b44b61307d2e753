package org.rectiflow.benchmarks.kernels;

import java.util.Map;
import org.rectiflow.benchmarks.measure.Contender;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Tensor;
import org.rectiflow.safetensors.DType;

/**
 * A {@link Problem} on the engine, through its public interface. The time is that of the kernels as
 * the engine's own profile takes it: copies in and out are no part of an op inside a model.
 */
public final class EngineKernel implements Contender, AutoCloseable {
  private final String name;
  private final Backend backend;
  private final Executable executable;
  private final Map<String, Feed> feeds;
  private Map<String, Tensor> results = Map.of();
  private double flops;
  private double bytes;

  /** Does not close {@code backend}, whose profile is this kernel's own while it runs. */
  public EngineKernel(Backend backend, Problem problem, DType weights) {
    this.name = "rectiflow " + weights;
    this.backend = backend;
    this.executable = backend.compile("bench", problem.graph(weights));
    this.feeds = problem.feeds();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double seconds() {
    backend.profile().forgetRuns();
    results = executable.run(feeds);
    flops = 0;
    bytes = 0;
    for (Profile.Entry entry : backend.profile().entries()) {
      flops += entry.cost().flops();
      bytes += entry.cost().bytes();
    }
    return backend.profile().seconds();
  }

  /** Floating-point operations of one run; known after the first. */
  public double flops() {
    return flops;
  }

  /** Bytes that one run must move at least; known after the first. */
  public double bytes() {
    return bytes;
  }

  /** The output {@code y} of the last run. */
  public Tensor result() {
    return results.get("y");
  }

  @Override
  public void close() {
    executable.close();
  }
}
