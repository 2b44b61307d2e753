package org.rectiflow.trainer.transformer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.pipeline.Denoiser;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.Samplers;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.StepOptions;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.scheduler.formulation.Formulation;

/**
 * The sample pictures of a run: always of the same prompts and seeds, by the formulation's own path
 * and prediction with Euler steps.
 *
 * @param texts what they show
 * @param prompts the texts encoded
 * @param unconditional what guidance leads away from
 * @param zeros whether that is zeros, not the empty text
 * @param formulation whose sampler is used
 * @param choices how
 */
record SamplePictures(
    List<String> texts,
    List<PromptEmbedding> prompts,
    PromptEmbedding unconditional,
    boolean zeros,
    Formulation formulation,
    Choices choices) {

  /**
   * Pictures of these texts.
   *
   * @param zeros whether guidance leads away from zeros, not from the empty text
   */
  static SamplePictures of(
      List<String> texts,
      boolean zeros,
      PromptEncoder encoders,
      Formulation formulation,
      Choices choices) {
    List<PromptEmbedding> prompts =
        encoders
            .encode(texts.stream().map(text -> encoders.tokenize(Prompts.all(text))).toList())
            .stream()
            .map(PromptEncoding::embedding)
            .toList();
    PromptEmbedding empty = encoders.encode(Prompts.all("")).embedding();
    return new SamplePictures(
        texts, prompts, zeros ? TextToImage.zeros(empty) : empty, zeros, formulation, choices);
  }

  /** The same with other encoders. */
  SamplePictures with(PromptEncoder encoders) {
    return of(texts, zeros, encoders, formulation, choices);
  }

  /**
   * How pictures are drawn.
   *
   * @param side width and height in pixels
   * @param steps of Euler's method
   * @param guidance at most 1: none
   * @param shift of the timesteps
   * @param seed of the first picture
   */
  record Choices(int side, int steps, double guidance, double shift, long seed) {}

  /**
   * Draws the pictures into a folder.
   *
   * @param pipeline whose autoencoder is used
   * @return the files' names
   */
  List<String> draw(Path folder, TextToImage pipeline, VelocityModel model, Backend backend)
      throws IOException {
    PathScheduler scheduler = Samplers.euler(formulation, choices.shift());
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(choices.steps()));
    int latentSide = choices.side() / pipeline.vaeConfig().factor();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      PromptEmbedding prompt = prompts.get(i);
      try (Denoiser denoiser =
          new Denoiser(
              model, backend, prompt, unconditional, choices.guidance(), latentSide, latentSide)) {
        Tensor noise =
            pipeline.noise(new TorchGenerator(choices.seed() + i), choices.side(), choices.side());
        Tensor start = Samplers.scaled(noise, formulation);
        Tensor latents =
            TextToImage.denoise(
                denoiser, start, scheduler, schedule, StepOptions.defaults(), Progress.NONE);
        Picture picture =
            Picture.of(pipeline.decode(latents, Optional.empty()), Picture.Rounding.NEAREST);
        String name = name(i);
        PngFile.write(folder.resolve(name), picture, metadata(i));
        names.add(name);
      }
    }
    return names;
  }

  private String name(int i) {
    String words =
        texts.get(i).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("-$", "");
    String limited = words.substring(0, Math.min(40, words.length()));
    return "%02d-%s.png".formatted(i, limited);
  }

  private Map<String, String> metadata(int i) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("prompt", texts.get(i));
    json.put("formulation", formulation.name());
    json.put("seed", choices.seed() + i);
    json.put("steps", choices.steps());
    json.put("guidance", choices.guidance());
    json.put("shift", choices.shift());
    // In this order, so that the same picture is the same file.
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Software", "Rectiflow 0.1.0");
    text.put("Description", texts.get(i));
    text.put("rectiflow", Json.pretty(json));
    return text;
  }
}
