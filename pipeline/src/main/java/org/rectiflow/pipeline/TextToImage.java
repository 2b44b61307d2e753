package org.rectiflow.pipeline;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoder.Clip;
import org.rectiflow.encoders.PromptEncoder.T5;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptTokens;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.Scheduler;
import org.rectiflow.scheduler.StepOptions;
import org.rectiflow.scheduler.Stepper;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.TiledDecoder;
import org.rectiflow.vae.VaeConfig;

/**
 * Stable Diffusion 3's way from a prompt to a picture, step by step: {@link #encode}, {@link
 * #noise}, {@link #denoise}, {@link #decode}. Each step is a function of what it is given, so that
 * one can be changed or measured by itself.
 *
 * <p>Not thread-safe. Closes neither the checkpoint nor the backend.
 */
public final class TextToImage {
  private final Checkpoint checkpoint;
  private final Backend backend;
  private final Optional<Mmdit> mmdit;
  private final VaeConfig vaeConfig;

  public TextToImage(Checkpoint checkpoint, Backend backend) {
    this(checkpoint, backend, true);
    int channels = mmdit().config().latentChannels();
    if (vaeConfig.latentChannels() != channels) {
      throw new CheckpointException(
          "%s: the autoencoder has latents of %d channels, the transformer of %d: they come from different models"
              .formatted(checkpoint.path(), vaeConfig.latentChannels(), channels));
    }
  }

  private TextToImage(Checkpoint checkpoint, Backend backend, boolean withTransformer) {
    this.checkpoint = checkpoint;
    this.backend = backend;
    this.vaeConfig = checkpoint.vaeConfig();
    this.mmdit = withTransformer ? Optional.of(transformer(checkpoint)) : Optional.empty();
  }

  private static Mmdit transformer(Checkpoint checkpoint) {
    WeightSource weights = checkpoint.require(Part.TRANSFORMER);
    return new Mmdit(MmditConfig.of(weights), weights);
  }

  /**
   * What surrounds a transformer that is still to be trained: {@link #encoders}, {@link #noise} and
   * {@link #decode}. The checkpoint's own transformer, if it has one, is left alone.
   */
  public static TextToImage withoutTransformer(Checkpoint checkpoint, Backend backend) {
    return new TextToImage(checkpoint, backend, false);
  }

  /**
   * The transformer.
   *
   * @throws IllegalStateException if this was made without
   */
  public Mmdit mmdit() {
    return mmdit.orElseThrow(() -> new IllegalStateException("opened without the transformer"));
  }

  /** Channels of a token of the context: the transformer's, or those that the encoders make. */
  public int contextWidth() {
    return mmdit.map(m -> m.config().contextWidth()).orElseGet(() -> checkpoint.t5Config().width());
  }

  /** Channels of the pooled embedding: the transformer's, or those that the encoders make. */
  public int pooledWidth() {
    return mmdit
        .map(m -> m.config().pooledWidth())
        .orElseGet(() ->
            checkpoint.clipConfig(Part.CLIP_L).pooledWidth()
                + checkpoint.clipConfig(Part.CLIP_G).pooledWidth());
  }

  public VaeConfig vaeConfig() {
    return vaeConfig;
  }

  /** What pictures of this pipeline take. */
  public MemoryPreflight memory() {
    return new MemoryPreflight(checkpoint, backend, mmdit(), vaeConfig);
  }

  /** Pixels that a side of the picture must be a multiple of. */
  public int sizeStep() {
    return vaeConfig.factor() * mmdit().config().patchSize();
  }

  /**
   * Checks a picture's size.
   *
   * @throws UsageException if a side is no multiple of {@link #sizeStep()} or beyond the position
   *     table
   */
  public void checkSize(int width, int height) {
    int step = sizeStep();
    int limit = mmdit().config().positionTableSize() * step;
    if (width < step || height < step || width % step != 0 || height % step != 0) {
      throw new UsageException(
          "a picture of %dx%d cannot be drawn: both sides must be multiples of %d. The nearest size is %dx%d."
              .formatted(width, height, step, nearest(width, step), nearest(height, step)));
    }
    if (width > limit || height > limit) {
      throw new UsageException(
          "a picture of %dx%d is too large for this model: its position table ends at %dx%d"
              .formatted(width, height, limit, limit));
    }
  }

  private static int nearest(int size, int step) {
    return Math.max(step, Math.round((float) size / step) * step);
  }

  /**
   * The encoders that are used, with their tokenizers open.
   *
   * @param t5Tokens T5's length at most; the tokenizer's own limit may be smaller
   * @param dropped encoders to leave out; their place is filled with zeros
   */
  public PromptEncoder encoders(int t5Tokens, Set<Part> dropped) {
    return encoders(t5Tokens, dropped, checkpoint::require);
  }

  /**
   * The same with other values, as of encoders that were trained.
   *
   * @param weights the tensors of an encoder, in the checkpoint's names and shapes
   */
  public PromptEncoder encoders(
      int t5Tokens, Set<Part> dropped, Function<Part, WeightSource> weights) {
    Optional<Clip> clipL = clip(Part.CLIP_L, dropped, weights);
    Optional<Clip> clipG = clip(Part.CLIP_G, dropped, weights);
    Optional<T5> t5 =
        dropped.contains(Part.T5) ? Optional.empty() : Optional.of(t5(weights.apply(Part.T5)));
    PromptEmbedding.Layout layout =
        PromptEncoder.layout(
            contextWidth(),
            pooledWidth(),
            Stream.of(clipL, clipG).flatMap(Optional::stream).toList(),
            t5Tokens,
            // Even an absent T5 leaves as many tokens of zeros as its tokenizer would have given.
            checkpoint
                .tokenizer(Part.T5)
                .map(PromptTokenizer::maxLength)
                .orElse(OptionalInt.empty()));
    return new PromptEncoder(backend, layout, clipL, clipG, t5);
  }

  private Optional<Clip> clip(Part part, Set<Part> dropped, Function<Part, WeightSource> weights) {
    if (dropped.contains(part)) {
      return Optional.empty();
    }
    WeightSource values = weights.apply(part);
    Path tokenizer = checkpoint.requireTokenizer(part);
    ClipTextModel model = new ClipTextModel(checkpoint.clipConfig(part), values);
    return Optional.of(new Clip(PromptTokenizer.clip(tokenizer), model));
  }

  private T5 t5(WeightSource weights) {
    Path tokenizer = checkpoint.requireTokenizer(Part.T5);
    T5Encoder model = new T5Encoder(checkpoint.t5Config(), weights);
    return new T5(PromptTokenizer.t5(tokenizer), model);
  }

  /** Encodes prompts together: each encoder runs once. */
  public List<PromptEncoding> encode(PromptEncoder encoders, List<Prompts> prompts) {
    List<PromptTokens> tokens = new ArrayList<>();
    prompts.forEach(p -> tokens.add(encoders.tokenize(p)));
    return encoders.encode(tokens);
  }

  /**
   * Embeds any number of prompts, some at a time: the memory that encoders take grows with how many
   * go through them together.
   *
   * @param together how many that is
   * @param groups hears of each {@code together}
   * @return one embedding per prompt, in order
   */
  public List<PromptEmbedding> embed(
      PromptEncoder encoders, List<Prompts> prompts, int together, Progress.Phase groups) {
    List<PromptEmbedding> embeddings = new ArrayList<>();
    for (int from = 0; from < prompts.size(); from += together) {
      int to = Math.min(prompts.size(), from + together);
      encode(encoders, prompts.subList(from, to)).forEach(e -> embeddings.add(e.embedding()));
      groups.step();
    }
    return embeddings;
  }

  /**
   * Standard normal noise [1, C, height/8, width/8]: that of {@code torch.randn} with a CPU
   * generator, so that a seed means the same picture as in diffusers.
   */
  public Tensor noise(TorchGenerator generator, int width, int height) {
    int c = vaeConfig.latentChannels();
    int h = height / vaeConfig.factor();
    int w = width / vaeConfig.factor();
    return Tensor.of(generator.randn(c * h * w), 1, c, h, w);
  }

  /** The transformer made ready for a prompt and a size in pixels. */
  public Denoiser denoiser(
      PromptEmbedding prompt, PromptEmbedding negative, double guidance, int width, int height) {
    int factor = vaeConfig.factor();
    return new Denoiser(
        mmdit(), backend, prompt, negative, guidance, height / factor, width / factor);
  }

  /** Zeros in place of a prompt: what its encoders are dropped to in training. */
  public static PromptEmbedding zeros(PromptEmbedding like) {
    return new PromptEmbedding(
        Tensor.zeros(like.context().shape()), Tensor.zeros(like.pooled().shape()));
  }

  /**
   * Follows the flow from noise to latents.
   *
   * @param noise [1, C, h, w], scaled by the schedule's first sigma (1 for text to image)
   * @return the final latents
   */
  public static Tensor denoise(
      Denoiser denoiser,
      Tensor noise,
      Scheduler scheduler,
      Schedule schedule,
      StepOptions options,
      Progress progress) {
    Stepper stepper = scheduler.stepper(schedule, options);
    denoiser.expect(schedule.timesteps());
    Progress.Phase phase = progress.begin("denoising", stepper.remainingCalls());
    float[] sample = noise.data();
    while (!stepper.done()) {
      Tensor input = new Tensor(noise.shape(), stepper.modelInput(sample));
      Tensor velocity = denoiser.velocity(input, stepper.timestep());
      sample = stepper.step(velocity.data(), sample);
      phase.step();
    }
    return new Tensor(noise.shape(), sample);
  }

  /**
   * Latents to pixels [1, 3, H, W], about -1 to 1.
   *
   * @param tile decode in overlapping tiles of this side in latent pixels, if given
   */
  public Tensor decode(Tensor latents, Optional<Integer> tile) {
    Autoencoder vae = new Autoencoder(vaeConfig, checkpoint.require(Part.VAE));
    int h = latents.shape().dim(2);
    int w = latents.shape().dim(3);
    int th = tile.map(t -> Math.min(t, h)).orElse(h);
    int tw = tile.map(t -> Math.min(t, w)).orElse(w);
    try (Executable decoder = backend.compile("vae", vae.decoder(1, th, tw))) {
      Tensor pixels =
          tile.isEmpty()
              ? decode(decoder, latents)
              : new TiledDecoder(tile.get(), Math.max(1, tile.get() / 4), vaeConfig.factor())
                  .decode(latents, part -> decode(decoder, part));
      return pixels;
    }
  }

  private static Tensor decode(Executable decoder, Tensor latents) {
    return decoder.run(java.util.Map.of("latent", Feed.of(latents))).get("pixels");
  }
}
