package org.rectiflow.pipeline.verify;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.Denoiser;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.verify.Verifier.Memo;
import org.rectiflow.pipeline.verify.Verifier.NumberSource;
import org.rectiflow.pipeline.verify.Verifier.Result;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.FlowMatchEulerDiscrete;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.StepOptions;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.LatentSpace;

/**
 * Our side of a golden file of text to image and autoencoder tensors:
 *
 * <ul>
 *   <li>{@code CASE.prompt.ids.ENCODER}, {@code CASE.prompt.clip_l.penultimate}, {@code .pooled},
 *       {@code CASE.prompt.t5.last} and the same for {@code negative}
 *   <li>{@code CASE.prompt_embeds}, {@code .negative_prompt_embeds}, {@code .pooled}, {@code
 *       .negative_pooled}; {@code no_t5.prompt_embeds} is that of the first case without T5
 *   <li>{@code CASE.noise}, {@code .sigmas}, {@code .timesteps}, {@code .latents}, {@code .image}
 *   <li>{@code CASE.tTIMESTEP.velocity} and {@code CASE.tTIMESTEP.blockN.image} or {@code .text}
 *   <li>{@code vae.HxW.mean}, {@code .logvar}, {@code .decoded} from the file's own {@code .pixels}
 * </ul>
 */
final class CaseNumbers implements NumberSource {
  private static final Pattern NAME = Pattern.compile("([^.]+)\\.(.+)");
  private static final Pattern ENCODED =
      Pattern.compile(
          "(prompt|negative)\\.(ids\\.)?(clip_l|clip_g|t5)(\\.(penultimate|pooled|last))?");
  private static final Pattern VELOCITY =
      Pattern.compile("t([0-9.]+)\\.(velocity|block\\d+\\.(?:image|text))");
  private static final Pattern VAE = Pattern.compile("(\\d+x\\d+)\\.(pixels|mean|logvar|decoded)");

  /** Timesteps in names are rounded; these are what they stand for, besides a case's own. */
  private static final int PROBE_STEPS = 4;

  private final TensorSource golden;
  private final Checkpoint checkpoint;
  private final Backend backend;
  private final TextToImage pipeline;
  private final Map<String, GoldenCase> cases;
  private final CaseFit fit;
  private final Memo<EncodingKey, PromptEncoding> encodings = new Memo<>();
  private final Memo<String, Map<String, Tensor>> velocities = new Memo<>();
  private final Memo<String, Tensor> latents = new Memo<>();
  private final Memo<String, Map<String, Tensor>> autoencoded = new Memo<>();

  private record EncodingKey(String prompt, int t5Length, boolean withoutT5) {}

  CaseNumbers(TensorSource golden, Checkpoint checkpoint, Backend backend) {
    this.golden = golden;
    this.checkpoint = checkpoint;
    this.backend = backend;
    this.pipeline = new TextToImage(checkpoint, backend);
    this.cases = GoldenCase.read(golden);
    this.fit = new CaseFit(checkpoint);
  }

  @Override
  public Result compute(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return new Result.Unknown();
    }
    String first = matcher.group(1);
    String rest = matcher.group(2);
    if (first.equals("vae")) {
      return vae(rest);
    }
    if (cases.containsKey(first)) {
      return ofCase(cases.get(first), rest);
    }
    if (name.equals("no_t5.prompt_embeds") && !cases.isEmpty()) {
      GoldenCase any = cases.values().stream().min((a, b) -> a.name().compareTo(b.name())).get();
      return floats(encode(any.prompt(), any.t5Length(), true).embedding().context());
    }
    return new Result.Unknown();
  }

  private Result ofCase(GoldenCase item, String name) {
    Optional<String> unanswerable = needsPrompt(name) ? fit.problem(item) : Optional.empty();
    if (unanswerable.isPresent()) {
      return new Result.LeftOut(unanswerable.get());
    }
    Matcher encoded = ENCODED.matcher(name);
    if (encoded.matches()) {
      String prompt = encoded.group(1).equals("prompt") ? item.prompt() : item.negative();
      return encoded(encode(prompt, item), encoded.group(3), encoded.group(2), encoded.group(5));
    }
    Matcher velocity = VELOCITY.matcher(name);
    if (velocity.matches()) {
      Tensor tensor = velocities(item, velocity.group(1)).get(velocity.group(2));
      return tensor == null ? new Result.Unknown() : floats(tensor);
    }
    return switch (name) {
      case "prompt_embeds" -> floats(embedding(item, item.prompt()).context());
      case "pooled" -> floats(embedding(item, item.prompt()).pooled());
      case "negative_prompt_embeds" -> floats(embedding(item, item.negative()).context());
      case "negative_pooled" -> floats(embedding(item, item.negative()).pooled());
      case "noise" -> floats(noise(item));
      case "sigmas" -> floats(vector(schedule(item, item.steps()).sigmas()));
      case "timesteps" -> floats(vector(schedule(item, item.steps()).timesteps()));
      case "latents" -> floats(latents(item));
      case "image" -> floats(unit(pipeline.decode(latents(item), Optional.empty())));
      default -> new Result.Unknown();
    };
  }

  private static boolean needsPrompt(String name) {
    return !Set.of("noise", "sigmas", "timesteps").contains(name);
  }

  private static Result floats(Tensor tensor) {
    return new Result.Floats(tensor);
  }

  private static Tensor vector(float[] values) {
    return Tensor.of(values, values.length);
  }

  private PromptEncoding encode(String prompt, GoldenCase item) {
    return encode(prompt, item.t5Length(), item.withoutT5());
  }

  private PromptEmbedding embedding(GoldenCase item, String prompt) {
    return encode(prompt, item).embedding();
  }

  private PromptEncoding encode(String prompt, int t5Length, boolean withoutT5) {
    return encodings.get(
        new EncodingKey(prompt, t5Length, withoutT5),
        key -> {
          Set<Part> dropped = key.withoutT5() ? Set.of(Part.T5) : Set.of();
          try (PromptEncoder encoders = pipeline.encoders(key.t5Length(), dropped)) {
            return pipeline.encode(encoders, List.of(Prompts.all(key.prompt()))).getFirst();
          }
        });
  }

  private static Result encoded(
      PromptEncoding encoding, String encoder, String ids, String output) {
    if (ids != null) {
      Optional<TokenizedPrompt> tokens =
          switch (encoder) {
            case "clip_l" -> encoding.tokens().clipL();
            case "clip_g" -> encoding.tokens().clipG();
            default -> encoding.tokens().t5();
          };
      return tokens
          .<Result>map(t -> new Result.Ints(IntTensor.of(t.ids(), 1, t.ids().length)))
          .orElse(new Result.Unknown());
    }
    if (encoder.equals("t5")) {
      return encoding.t5().map(CaseNumbers::floats).orElse(new Result.Unknown());
    }
    Optional<ClipOutput> clip = encoder.equals("clip_l") ? encoding.clipL() : encoding.clipG();
    return clip.map(c -> output.equals("pooled") ? c.pooled() : c.penultimate())
        .map(CaseNumbers::floats)
        .orElse(new Result.Unknown());
  }

  private Tensor noise(GoldenCase item) {
    return pipeline.noise(new TorchGenerator(item.seed()), item.width(), item.height());
  }

  private Schedule schedule(GoldenCase item, int steps) {
    ScheduleRequest request = ScheduleRequest.ofSteps(steps);
    FlowMatchConfig config = checkpoint.schedulerConfig();
    if (config.useDynamicShifting()) {
      int step = pipeline.sizeStep();
      request = request.withMu(config.mu(item.width() / step * (item.height() / step)));
    }
    return scheduler().schedule(request);
  }

  private FlowMatchEulerDiscrete scheduler() {
    return new FlowMatchEulerDiscrete(checkpoint.schedulerConfig());
  }

  /** One call of the transformer on the case's noise: the velocity and what each block puts out. */
  private Map<String, Tensor> velocities(GoldenCase item, String timestep) {
    return velocities.get(
        item.name() + " " + timestep,
        _ -> {
          PromptEmbedding prompt = embedding(item, item.prompt());
          Tensor noise = noise(item);
          var graph =
              pipeline
                  .mmdit()
                  .graph(
                      1,
                      noise.shape().dim(2),
                      noise.shape().dim(3),
                      prompt.context().shape().dim(1),
                      true);
          try (Executable model = backend.compile("mmdit", graph)) {
            return model.run(
                Map.of(
                    "latent", Feed.of(noise),
                    "timestep", Feed.of(vector(new float[] {exact(item, timestep)})),
                    "context", Feed.of(prompt.context()),
                    "pooled", Feed.of(prompt.pooled())));
          }
        });
  }

  /** The timestep that a name's six digits stand for. */
  private float exact(GoldenCase item, String printed) {
    float rounded = Float.parseFloat(printed);
    for (int steps : List.of(item.steps(), PROBE_STEPS)) {
      for (float t : schedule(item, steps).timesteps()) {
        if (Math.abs(t - rounded) <= 1e-6 * rounded + 1e-9) {
          return t;
        }
      }
    }
    return rounded;
  }

  private Tensor latents(GoldenCase item) {
    return latents.get(
        item.name(),
        _ -> {
          try (Denoiser denoiser =
              pipeline.denoiser(
                  embedding(item, item.prompt()),
                  embedding(item, item.negative()),
                  item.guidance(),
                  item.width(),
                  item.height())) {
            return TextToImage.denoise(
                denoiser,
                noise(item),
                scheduler(),
                schedule(item, item.steps()),
                StepOptions.defaults(),
                Progress.NONE);
          }
        });
  }

  private static Tensor unit(Tensor pixels) {
    float[] values = new float[pixels.data().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = Picture.unit(pixels.data()[i]);
    }
    return new Tensor(pixels.shape(), values);
  }

  private Result vae(String name) {
    Matcher matcher = VAE.matcher(name);
    if (!matcher.matches()) {
      return new Result.Unknown();
    }
    String size = matcher.group(1);
    if (!golden.tensors().containsKey("vae." + size + ".pixels")) {
      return new Result.LeftOut("the file has no vae." + size + ".pixels to begin with");
    }
    return floats(autoencoded.get(size, this::autoencode).get(matcher.group(2)));
  }

  private Map<String, Tensor> autoencode(String size) {
    Tensor pixels = TensorFiles.read(golden, "vae." + size + ".pixels");
    Autoencoder vae = new Autoencoder(pipeline.vaeConfig(), checkpoint.require(Part.VAE));
    int height = pixels.shape().dim(2);
    int width = pixels.shape().dim(3);
    try (Executable encoder = backend.compile("vae", vae.encoder(1, height, width))) {
      Map<String, Tensor> numbers = new HashMap<>(encoder.run(Map.of("pixels", Feed.of(pixels))));
      Tensor latent = LatentSpace.normalise(numbers.get("mean"), pipeline.vaeConfig());
      numbers.put("decoded", pipeline.decode(latent, Optional.empty()));
      numbers.put("pixels", pixels);
      return numbers;
    }
  }
}
