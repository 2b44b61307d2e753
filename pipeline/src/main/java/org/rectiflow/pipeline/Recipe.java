package org.rectiflow.pipeline;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.WeightHash;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.Scheduler;
import org.rectiflow.scheduler.StepOptions;
import org.rectiflow.scheduler.formulation.Formulation;

/**
 * Everything that decides a picture, apart from the weights.
 *
 * @param prompts what it shows
 * @param negative what guidance leads away from
 * @param width pixels
 * @param height pixels
 * @param guidance classifier-free guidance scale
 * @param seed of the noise
 * @param preset the bundle of choices the rest began with
 * @param zeroUnconditional whether an empty negative prompt means zeros instead of its encodings
 * @param t5Tokens length of T5's sequence at most
 * @param dropped encoders that are left out
 * @param formulation what the transformer was trained as
 * @param sampler the scheduler's kind
 * @param schedulerConfig its configuration
 * @param request what is asked of its schedule
 * @param stepOptions churn and the like
 * @param tile side of the decoder's tiles in latent pixels; empty to decode at once
 */
public record Recipe(
    Prompts prompts,
    Prompts negative,
    int width,
    int height,
    double guidance,
    long seed,
    Preset preset,
    boolean zeroUnconditional,
    int t5Tokens,
    Set<Part> dropped,
    Formulation formulation,
    SamplerChoice sampler,
    FlowMatchConfig schedulerConfig,
    ScheduleRequest request,
    StepOptions stepOptions,
    Optional<Integer> tile) {

  /** The same with another seed. */
  public Recipe withSeed(long value) {
    return new Recipe(
        prompts,
        negative,
        width,
        height,
        guidance,
        value,
        preset,
        zeroUnconditional,
        t5Tokens,
        dropped,
        formulation,
        sampler,
        schedulerConfig,
        request,
        stepOptions,
        tile);
  }

  /** The same with other prompts. */
  public Recipe with(Prompts value) {
    return new Recipe(
        value,
        negative,
        width,
        height,
        guidance,
        seed,
        preset,
        zeroUnconditional,
        t5Tokens,
        dropped,
        formulation,
        sampler,
        schedulerConfig,
        request,
        stepOptions,
        tile);
  }

  /** The scheduler that all this asks for. */
  public Scheduler scheduler() {
    return Samplers.of(formulation, sampler, schedulerConfig);
  }

  /** Whether the unconditional prompt is zeros instead of the encodings of nothing. */
  public boolean zeroNegative() {
    return zeroUnconditional && negative.equals(Prompts.all(""));
  }

  /** Whether anything reads the encoding of the negative prompt: guidance does, unless by zeros. */
  public boolean readsNegative() {
    return guidance > 1 && !zeroNegative();
  }

  /** The text a picture carries: the prompt by itself, and all of this as JSON. */
  public Map<String, String> metadata(Checkpoint checkpoint, Schedule schedule) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("prompt", prompts.clipL());
    json.put("prompt_2", prompts.clipG());
    json.put("prompt_3", prompts.t5());
    json.put("negative_prompt", negative.clipL());
    json.put("negative_prompt_2", negative.clipG());
    json.put("negative_prompt_3", negative.t5());
    json.put("width", width);
    json.put("height", height);
    json.put("seed", seed);
    json.put("guidance", guidance);
    json.put("preset", preset.flag());
    json.put("unconditional", zeroNegative() ? "zeros" : "text");
    json.put("t5_tokens", t5Tokens);
    json.put("dropped_encoders", dropped.stream().map(Part::folder).toList());
    json.put("scheduler", sampler.toString());
    if (!Samplers.isFlow(formulation)) {
      json.put("formulation", formulation.name());
    }
    json.put("steps", schedule.steps());
    json.put("shift", schedulerConfig.shift());
    json.put("sigmas", schedule.sigmas());
    json.put("s_churn", stepOptions.sChurn());
    tile.ifPresent(t -> json.put("tile", t));
    json.put("model", String.valueOf(checkpoint.path().toAbsolutePath().normalize().getFileName()));
    Map<String, String> hashes = new LinkedHashMap<>();
    for (Part part : Part.values()) {
      if (!dropped.contains(part)) {
        hashes.put(part.folder(), WeightHash.of(checkpoint.files(part)));
      }
    }
    json.put("weights", hashes);
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Software", "Rectiflow 0.1.0");
    text.put("Description", prompts.clipL());
    text.put("rectiflow", Json.pretty(json));
    return text;
  }
}
