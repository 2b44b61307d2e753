package org.rectiflow.tornado;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Roofs;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Runs graphs on one device that TornadoVM drives. */
public final class TornadoBackend implements Backend {
  private final String name;
  private final TornadoDevice device;
  private final KernelSources sources;
  private final Set<Feature> features;
  private final Profile profile = new Profile();
  private final AtomicLong taken = new AtomicLong();

  TornadoBackend(String name, TornadoDevice device, KernelSources sources, Set<Feature> features) {
    this.name = name;
    this.device = device;
    this.sources = sources;
    this.features = features;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String describe() {
    return TornadoDevices.describe(device);
  }

  /**
   * Takes memory on the device and puts the weights there.
   *
   * @throws org.rectiflow.engine.DeviceException if the graph does not fit on the device or a
   *     kernel does not compile
   */
  @Override
  public TornadoExecutable compile(String graphName, Graph graph) {
    return new TornadoExecutable(graphName, graph, device, sources, profile, features, taken);
  }

  @Override
  public long arenaBytes(Graph graph) {
    return MemoryPlan.of(graph, TornadoFusion.of(graph)).arenaBytes();
  }

  /** Times are those of the device; copies and compilations are listed as overheads. */
  @Override
  public Profile profile() {
    return profile;
  }

  @Override
  public Optional<Roofs> roofs() {
    return Optional.of(DeviceRoofs.measure(device, sources));
  }

  @Override
  public void close() {}
}
