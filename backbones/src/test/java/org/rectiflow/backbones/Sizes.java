package org.rectiflow.backbones;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.mmdit.MmditConfig;

/** Tiny models for the tests, and running them. */
final class Sizes {
  static final int BATCH = 2;
  static final int HEIGHT = 8;
  static final int WIDTH = 4;
  static final int CONTEXT = 5;
  static final int CLIP_TOKENS = 3;

  private Sizes() {}

  static MmditConfig tiny(boolean qkNorm) {
    return tiny(qkNorm, 2);
  }

  static MmditConfig tiny(boolean qkNorm, int patch) {
    return new MmditConfig(2, 128, 2, 3, patch, 7, 6, 6, qkNorm, Set.of());
  }

  static BackboneConfig tiny(Backbone backbone, boolean qkNorm) {
    return new BackboneConfig(backbone, tiny(qkNorm), CLIP_TOKENS);
  }

  /** The four inputs, from a seed. */
  static Map<String, Tensor> inputs() {
    Random random = new Random(11);
    MmditConfig c = tiny(true);
    return Map.of(
        "latent", values(random, BATCH, c.latentChannels(), HEIGHT, WIDTH),
        "timestep", Tensor.of(new float[] {120.5f, 903f}, BATCH),
        "context", values(random, BATCH, CONTEXT, c.contextWidth()),
        "pooled", values(random, BATCH, c.pooledWidth()));
  }

  static Tensor values(Random random, int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  static Map<String, Tensor> run(Graph graph, Map<String, Tensor> inputs) {
    Map<String, Feed> feeds = new HashMap<>();
    inputs.forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    try (Backend backend = new CpuBackend(2);
        Executable executable = backend.compile("test", graph)) {
      return executable.run(feeds);
    }
  }
}
