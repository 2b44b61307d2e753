package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.Denoiser;
import org.rectiflow.pipeline.GraphDrawings;
import org.rectiflow.pipeline.Preset;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.Recipe;
import org.rectiflow.pipeline.SamplerChoice;
import org.rectiflow.pipeline.Samplers;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Checkpoint.GenerationDefaults;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.LatentsFile;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.memory.MachineMemory;
import org.rectiflow.pipeline.memory.MemoryNeed;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.Scheduler;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.vae.TiledDecoder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Draws pictures. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Draws a picture of a prompt.",
    footer = {
      "",
      "Examples:",
      "  rectiflow generate \"four blue circles\"",
      "  rectiflow generate \"a big purple star\" --seed 7 --batch 4 --out stars/",
      "  rectiflow generate \"a cat\" --model sd3-medium/ --size 1024 --guidance 7",
      "  rectiflow generate --prompts prompts.txt --out drawn/",
      "",
      "The same seed starts from the same noise as diffusers with a CPU generator. A"
          + " picture carries how it was made: `rectiflow inspect PICTURE.png` reads it back."
    })
final class GenerateCommand implements Callable<Integer> {
  /** Bytes of a transformer beside whose work a second for warming up is little. */
  private static final long LARGE = 1L << 30;

  @Spec private CommandSpec spec;

  @Mixin private PromptOptions promptOptions;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description = "Size in pixels, multiples of 16; default: what the model was trained for.")
  private PictureSize size;

  @Option(
      names = "--guidance",
      paramLabel = "G",
      description = "Classifier-free guidance; 1 is none. Default: the model's or the preset's.")
  private Double guidance;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Default: 0.")
  private long seed;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1",
      description = "Pictures to draw, with seeds N, N+1, ...; each is written when it is done.")
  private int batch;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "Whose choices to follow: diffusers (default), reference or paper.")
  private Preset preset;

  @Mixin private EncoderOptions encoderOptions;
  @Mixin private ModelOptions model;
  @Mixin private SchedulerOptions schedulerOptions;

  @Option(
      names = "--out",
      paramLabel = "PATH",
      defaultValue = "pictures",
      description =
          "A .png file, or a folder for files named after prompt and seed; default: ${DEFAULT-VALUE}/.")
  private Path out;

  @Option(
      names = "--latents",
      paramLabel = "FILE",
      description = "Also write noise and final latents, as safetensors.")
  private Path latents;

  @Option(
      names = "--noise",
      paramLabel = "FILE",
      description = "Start from the tensor `noise` of a safetensors file instead of the seed's.")
  private Path noise;

  @Option(
      names = "--tile",
      paramLabel = "N",
      description = "Decode in overlapping tiles of N latent pixels, to save memory.")
  private Integer tile;

  @Option(
      names = "--graphs",
      paramLabel = "DIR",
      description = "Draw each network's op graph as a Graphviz file (.dot) in a folder.")
  private Path graphs;

  @Option(
      names = "--force-memory",
      description = "Try even if the memory will probably not suffice.")
  private boolean forceMemory;

  @Option(names = "--profile", description = "Print where the time went.")
  private boolean profile;

  @Option(names = "--quiet", description = "Print nothing but the pictures' names.")
  private boolean quiet;

  @Override
  public Integer call() throws Exception {
    UsageException.requireAtLeast("--batch", 1, batch);
    UsageException.requireAtLeast("--tile", TiledDecoder.LEAST_TILE, tile);
    encoderOptions.check();
    model.checkNotDropped(encoderOptions.dropped());
    if (guidance != null && !(guidance >= 0 && guidance < Double.POSITIVE_INFINITY)) {
      throw new UsageException(
          "--guidance must be a number of at least 0 (1 is none), got " + guidance);
    }
    schedulerOptions.check();
    List<String> texts = promptOptions.texts(spec.commandLine());
    OutputNames.check(out);
    OutputPlace.requireFile("--latents", latents);
    if (noise != null && !Files.isRegularFile(noise)) {
      throw new UserException(
          "--noise %s: no such file; it takes one as --latents writes".formatted(noise));
    }
    OutputPlace.requireFolder("--graphs", graphs);
    try (Checkpoint checkpoint = model.open();
        Backend backend = backend();
        ConsoleProgress console = ConsoleProgress.onStandardError()) {
      return checkpoint.guarded(() -> draw(texts, checkpoint, backend, console));
    }
  }

  private int draw(
      List<String> texts, Checkpoint checkpoint, Backend backend, ConsoleProgress console)
      throws IOException {
    Progress progress = quiet ? Progress.NONE : console;
    if (isLarge(checkpoint)) {
      backend.warmUp(); // while recipe and memory are worked out
    }
    TextToImage pipeline = new TextToImage(checkpoint, backend);
    Recipe recipe = recipe(checkpoint, pipeline, texts.getFirst());
    Scheduler scheduler = UsageException.checked(recipe::scheduler);
    Schedule schedule = UsageException.checked(() -> scheduler.schedule(recipe.request()));
    checkMemory(pipeline.memory().need(recipe));
    List<Recipe> recipes =
        texts.stream().map(text -> recipe.with(promptOptions.prompts(text))).toList();
    EncodedPrompts encoded =
        EncodedPrompts.of(pipeline, recipes, progress, spec.commandLine().getErr());
    int pictures = recipes.size() * batch;
    try (Unfinished unfinished = new Unfinished(pictures, spec.commandLine().getErr())) {
      for (int p = 0; p < recipes.size(); p++) {
        OutputNames names = new OutputNames(out, texts.get(p), pictures);
        try (Denoiser denoiser =
            pipeline.denoiser(
                encoded.prompts().get(p),
                encoded.negative(),
                recipe.guidance(),
                recipe.width(),
                recipe.height())) {
          for (int i = 0; i < batch; i++) {
            int index = p * batch + i;
            Recipe one = recipes.get(p).withSeed(seed + index);
            Tensor pixels =
                draw(pipeline, denoiser, scheduler, schedule, one, progress, index, pictures);
            Path file = names.picture(index, one.seed());
            Picture picture = Picture.of(pixels, one.preset().rounding());
            PngFile.write(file, picture, one.metadata(checkpoint, schedule));
            unfinished.finished(file);
            console.close();
            spec.commandLine().getOut().println(file);
          }
        }
      }
    }
    if (profile) {
      ProfileTable.print(spec.commandLine().getErr(), backend.profile());
    }
    return 0;
  }

  private static boolean isLarge(Checkpoint checkpoint) {
    return checkpoint
        .summary(Part.TRANSFORMER, false)
        .filter(transformer -> transformer.bytes() > LARGE)
        .isPresent();
  }

  /** Before anything is loaded: what it takes, against what there is. */
  private void checkMemory(MemoryNeed need) {
    MachineMemory machine = MachineMemory.now();
    if (!forceMemory) {
      need.require(machine);
    }
    PrintWriter err = spec.commandLine().getErr();
    if (!quiet) {
      err.println(need.line(machine));
    }
    need.warning(machine).ifPresent(w -> err.println("rectiflow: warning: " + w));
    err.flush();
  }

  private Backend backend() {
    return graphs == null ? model.backend() : new GraphDrawings(model.backend(), graphs);
  }

  /** Everything that decides the picture, flags first, then preset, then the model's defaults. */
  private Recipe recipe(Checkpoint checkpoint, TextToImage pipeline, String text) {
    GenerationDefaults defaults = checkpoint.defaults();
    Preset chosen = preset == null ? Preset.DIFFUSERS : preset;
    int steps = preset == null ? defaults.steps().orElse(chosen.steps()) : chosen.steps();
    double scale =
        preset == null ? defaults.guidance().orElse(chosen.guidance()) : chosen.guidance();
    PictureSize pixels = size == null ? new PictureSize(defaults.size(), defaults.size()) : size;
    pipeline.checkSize(pixels.width(), pixels.height());
    FlowMatchConfig base = checkpoint.schedulerConfig();
    FlowMatchConfig config = UsageException.checked(() -> schedulerOptions.config(base));
    SamplerChoice sampler = schedulerOptions.scheduler.orElse(chosen.sampler());
    schedulerOptions.check(config, sampler);
    Formulation formulation = Formulation.parse(defaults.formulation().orElse("rf"));
    ScheduleRequest asked = UsageException.checked(() -> schedulerOptions.request(steps));
    ScheduleRequest request = Samplers.isFlow(formulation) ? chosen.request(asked) : asked;
    if (config.useDynamicShifting() && request.mu().isEmpty()) {
      int step = pipeline.sizeStep();
      request = request.withMu(config.mu(pixels.width() / step * (pixels.height() / step)));
    }
    return new Recipe(
        promptOptions.prompts(text),
        promptOptions.negative(),
        pixels.width(),
        pixels.height(),
        guidance == null ? scale : guidance,
        seed,
        chosen,
        preset == null ? defaults.zeroUnconditional() : chosen.zeroUnconditional(),
        encoderOptions.t5Tokens(chosen),
        encoderOptions.dropped(),
        formulation,
        sampler,
        config,
        request,
        schedulerOptions.stepOptions(),
        Optional.ofNullable(tile));
  }

  private Tensor draw(
      TextToImage pipeline,
      Denoiser denoiser,
      Scheduler scheduler,
      Schedule schedule,
      Recipe recipe,
      Progress progress,
      int index,
      int pictures)
      throws IOException {
    TorchGenerator generator = new TorchGenerator(recipe.seed());
    Tensor start = pipeline.noise(generator, recipe.width(), recipe.height());
    if (noise != null) {
      start = LatentsFile.readNoise(noise, start.shape());
    }
    Tensor done =
        TextToImage.denoise(
            denoiser,
            Samplers.scaled(start, recipe.formulation()),
            scheduler,
            schedule,
            recipe.stepOptions().withGenerator(generator),
            progress);
    if (latents != null) {
      LatentsFile.write(OutputNames.numbered(latents, index, pictures), start, done);
    }
    Progress.Phase phase = progress.begin("decoding", 1);
    Tensor pixels = pipeline.decode(done, recipe.tile());
    phase.step();
    return pixels;
  }
}
