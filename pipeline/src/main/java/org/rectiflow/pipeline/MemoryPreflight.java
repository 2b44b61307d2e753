package org.rectiflow.pipeline;

import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Graph;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.memory.MemoryNeed;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/** Works out what a picture takes: records the graphs and plans their memory, but takes none. */
public final class MemoryPreflight {
  /** What the virtual machine, its code and the kernels' buffers take; measured. */
  private static final long RUNTIME = 350_000_000;

  private static final int CLIP_TOKENS = 77;
  private static final long ELEMENT = Float.BYTES;

  /** Copies of the picture that are alive together: pixels, their picture, its encoding. */
  private static final int PICTURE_COPIES = 6;

  private final Checkpoint checkpoint;
  private final Backend backend;
  private final Mmdit mmdit;
  private final VaeConfig vae;

  MemoryPreflight(Checkpoint checkpoint, Backend backend, Mmdit mmdit, VaeConfig vae) {
    this.checkpoint = checkpoint;
    this.backend = backend;
    this.mmdit = mmdit;
    this.vae = vae;
  }

  /** What {@code recipe} takes. */
  public MemoryNeed need(Recipe recipe) {
    Map<Part, Long> weights = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      if (!recipe.dropped().contains(part)) {
        checkpoint.summary(part, false).ifPresent(s -> weights.put(part, s.bytes()));
      }
    }
    int height = recipe.height() / vae.factor();
    int width = recipe.width() / vae.factor();
    int prompts = recipe.readsNegative() && !recipe.prompts().equals(recipe.negative()) ? 2 : 1;
    int tokens = CLIP_TOKENS + recipe.t5Tokens();
    long context = ELEMENT * tokens * mmdit.config().contextWidth();
    long picture = 3 * ELEMENT * recipe.width() * recipe.height();
    Optional<Integer> tile = recipe.tile();
    Denoiser.Need denoising =
        Denoiser.need(
            mmdit,
            backend,
            recipe.guidance() > 1 ? 2 : 1,
            recipe.request().length(),
            height,
            width,
            tokens);
    return new MemoryNeed(
        weights,
        encoders(recipe, prompts),
        denoising.arena(),
        decoder(height, width, tile),
        tile.isPresent()
            ? Optional.empty()
            : Optional.of(decoder(height, width, Optional.of(MemoryNeed.TILE))),
        usedHeap() + 4 * prompts * context + denoising.heap() + PICTURE_COPIES * picture,
        RUNTIME + garbage());
  }

  /** Java collects garbage when the part of the heap for new objects is full, not before. */
  private static long garbage() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().contains("Eden"))
        .mapToLong(pool -> Math.max(0, pool.getUsage().getMax()))
        .sum();
  }

  private static long usedHeap() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /** All encoders stay ready until the last has run. */
  private long encoders(Recipe recipe, int prompts) {
    long bytes = 0;
    for (Part part : Part.values()) {
      if (part.isEncoder()
          && !recipe.dropped().contains(part)
          && checkpoint.part(part).isPresent()) {
        bytes += backend.arenaBytes(encoder(part, prompts, recipe.t5Tokens()));
      }
    }
    return bytes;
  }

  private Graph encoder(Part part, int prompts, int t5Tokens) {
    if (part == Part.T5) {
      return new T5Encoder(checkpoint.t5Config(), checkpoint.require(part))
          .graph(prompts, t5Tokens);
    }
    ClipConfig config = checkpoint.clipConfig(part);
    return new ClipTextModel(config, checkpoint.require(part))
        .graph(prompts, Math.min(CLIP_TOKENS, config.positions()));
  }

  private long decoder(int height, int width, Optional<Integer> tile) {
    int h = tile.map(t -> Math.min(t, height)).orElse(height);
    int w = tile.map(t -> Math.min(t, width)).orElse(width);
    return backend.arenaBytes(new Autoencoder(vae, checkpoint.require(Part.VAE)).decoder(1, h, w));
  }
}
