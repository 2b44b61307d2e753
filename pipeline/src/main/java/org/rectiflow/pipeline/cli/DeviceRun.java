package org.rectiflow.pipeline.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Profile.Entry;
import org.rectiflow.engine.Roofs;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.Denoiser;
import org.rectiflow.pipeline.Preset;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.scheduler.TorchGenerator;

/**
 * How long the parts of a model take on one device. Each part runs once cold, compilation and
 * copies of weights included, then until two seconds have passed, then warm; the profile is that of
 * the warm runs.
 *
 * @param device its name
 * @param description one line about it
 * @param roofs the most the device does, if it was measured
 * @param parts wall-clock seconds by part
 * @param entries one for each kernel and layer, of the warm runs
 * @param overheads compilation and copies, of all runs
 */
record DeviceRun(
    String device,
    String description,
    Optional<Roofs> roofs,
    Map<String, Seconds> parts,
    List<Entry> entries,
    List<Entry> overheads) {

  private static final int CLIP_TOKENS = 77;
  private static final int WARM_UP_RUNS = 30;
  private static final double WARM_UP_SECONDS = 2;

  /**
   * @param cold the first run, with all that comes before it
   * @param warm mean of the others
   */
  record Seconds(double cold, double warm) {}

  /** A task that may be measured. */
  @FunctionalInterface
  private interface Work {
    void run();
  }

  /** What can be measured by itself. */
  enum ModelPart {
    ENCODERS,
    TRANSFORMER,
    DECODER;

    /** As in options and tables. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Runs parts of a model. Without encoders the transformer gets noise in place of a prompt, which
   * takes as long.
   *
   * @param times warm runs; the decoder has one
   */
  static DeviceRun of(
      Checkpoint checkpoint, Backend backend, Set<ModelPart> wanted, PictureSize size, int times) {
    TextToImage pipeline = new TextToImage(checkpoint, backend);
    pipeline.checkSize(size.width(), size.height());
    Map<String, Seconds> parts = new LinkedHashMap<>();
    List<Entry> entries = new ArrayList<>();
    Profile profile = backend.profile();
    PromptEmbedding prompt = noise(pipeline);
    if (wanted.contains(ModelPart.ENCODERS)) {
      Prompts prompts = new Prompts("four blue circles", "four blue circles", "four blue circles");
      List<PromptEmbedding> embeddings = new ArrayList<>();
      long start = System.nanoTime();
      try (PromptEncoder encoders = pipeline.encoders(Preset.DIFFUSERS.t5Tokens(), Set.of())) {
        Work encode =
            () ->
                pipeline.encode(encoders, List.of(prompts)).stream()
                    .map(PromptEncoding::embedding)
                    .forEach(embeddings::add);
        parts.put(ModelPart.ENCODERS.toString(), measure(start, encode, times, profile, entries));
      }
      prompt = embeddings.getFirst();
    }
    Tensor noise = pipeline.noise(new TorchGenerator(0), size.width(), size.height());
    if (wanted.contains(ModelPart.TRANSFORMER)) {
      long start = System.nanoTime();
      try (Denoiser denoiser = pipeline.denoiser(prompt, prompt, 1, size.width(), size.height())) {
        Work velocity = () -> denoiser.velocity(noise, 500f);
        parts.put(
            ModelPart.TRANSFORMER.toString(), measure(start, velocity, times, profile, entries));
      }
    }
    if (wanted.contains(ModelPart.DECODER)) {
      long start = System.nanoTime();
      Work decode = () -> pipeline.decode(noise, Optional.empty());
      parts.put(ModelPart.DECODER.toString(), measure(start, decode, 1, profile, entries));
    }
    return new DeviceRun(
        backend.name(),
        backend.describe(),
        backend.roofs(),
        parts,
        entries,
        backend.profile().overheads());
  }

  private static PromptEmbedding noise(TextToImage pipeline) {
    int tokens = CLIP_TOKENS + Preset.DIFFUSERS.t5Tokens();
    int width = pipeline.mmdit().config().contextWidth();
    int pooled = pipeline.mmdit().config().pooledWidth();
    TorchGenerator generator = new TorchGenerator(1);
    return new PromptEmbedding(
        Tensor.of(generator.randn(tokens * width), 1, tokens, width),
        Tensor.of(generator.randn(pooled), 1, pooled));
  }

  private static Seconds measure(
      long begun, Work work, int times, Profile profile, List<Entry> entries) {
    work.run();
    double cold = seconds(begun);
    // Java compiles its own code in the background; short runs need some more to be warm.
    for (int i = 0; i < WARM_UP_RUNS && seconds(begun) - cold < WARM_UP_SECONDS; i++) {
      work.run();
    }
    profile.forgetRuns();
    long start = System.nanoTime();
    for (int i = 0; i < times; i++) {
      work.run();
    }
    double warm = seconds(start) / times;
    entries.addAll(profile.entries());
    profile.forgetRuns();
    return new Seconds(cold, warm);
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) * 1e-9;
  }

  /** Entries summed by op. */
  Map<String, Entry> byOp() {
    Map<String, Entry> sums = new LinkedHashMap<>();
    for (Entry e : entries) {
      Entry one = new Entry(e.op(), "", e.runs(), e.nanos(), e.cost());
      sums.merge(
          e.op(),
          one,
          (a, b) ->
              new Entry(
                  a.op(), "", a.runs() + b.runs(), a.nanos() + b.nanos(), a.cost().plus(b.cost())));
    }
    return sums;
  }
}
