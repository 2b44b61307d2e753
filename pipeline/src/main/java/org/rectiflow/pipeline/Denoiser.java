package org.rectiflow.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.VelocityModel;

/**
 * A transformer made ready for one size of picture and one prompt: the velocity with
 * classifier-free guidance. Without guidance (a scale of at most 1) the model runs on the prompt
 * alone, as in diffusers; with it, on the unconditional prompt too.
 *
 * <p>The two runs follow each other: as one batch of two they take as long, within 4 % at 256x256
 * and 512x512, and twice the memory. What depends on the prompt alone is computed once, and what
 * depends on the timestep besides for many steps at a time ({@link #expect}).
 */
public final class Denoiser implements AutoCloseable {
  private final Graph step;
  private final Executable model;
  private final float guidance;
  private final List<Map<String, Feed>> prompts = new ArrayList<>();
  private final Conditioning conditioning;

  /**
   * @param embeds the prompt's embedding
   * @param negative the embedding guidance leads away from; as long as the prompt's
   * @param guidance the scale; at most 1 means none
   * @param height rows of the latent
   * @param width columns of the latent
   */
  public Denoiser(
      VelocityModel transformer,
      Backend backend,
      PromptEmbedding embeds,
      PromptEmbedding negative,
      double guidance,
      int height,
      int width) {
    this.guidance = (float) guidance;
    int tokens = embeds.context().shape().dim(1);
    CallStages stages = CallStages.of(transformer, 1, height, width, tokens);
    List<PromptEmbedding> embeddings = guidance > 1 ? List.of(negative, embeds) : List.of(embeds);
    try (Executable prompt = backend.compile("mmdit-prompt", stages.prompt())) {
      for (PromptEmbedding embedding : embeddings) {
        Map<String, Feed> values = new HashMap<>();
        values.put("context", Feed.of(embedding.context()));
        values.put("pooled", Feed.of(embedding.pooled()));
        Map<String, Tensor> results = prompt.run(CallStages.feeds(stages.prompt(), values));
        results.forEach((name, tensor) -> values.put(name, Feed.of(tensor)));
        prompts.add(values);
      }
    }
    conditioning =
        new Conditioning(
            backend,
            batch -> CallStages.of(transformer, batch, height, width, tokens).conditioning(),
            prompts);
    step = stages.step();
    model = backend.compile("mmdit", step);
  }

  /**
   * What a run takes.
   *
   * @param arena bytes of activations at most
   * @param heap bytes of results that are kept between steps
   */
  record Need(long arena, long heap) {}

  /**
   * What a run will take.
   *
   * @param prompts 2 with guidance, else 1
   * @param steps of the schedule
   */
  static Need need(
      VelocityModel transformer,
      Backend backend,
      int prompts,
      int steps,
      int height,
      int width,
      int tokens) {
    CallStages one = CallStages.of(transformer, 1, height, width, tokens);
    int together = Math.min(steps, Conditioning.together(one.conditioning(), prompts));
    Graph conditioning =
        CallStages.of(transformer, together * prompts, height, width, tokens).conditioning();
    return new Need(
        backend.arenaBytes(one.step()) + backend.arenaBytes(conditioning),
        CallStages.outputBytes(conditioning));
  }

  /** Says which timesteps will come, so that what depends on them can be computed together. */
  public void expect(float[] timesteps) {
    conditioning.expect(timesteps);
  }

  /**
   * The velocity {@code uncond + guidance (cond - uncond)}.
   *
   * @param latent [1, C, h, w]
   * @param timestep 1000 sigma
   */
  public Tensor velocity(Tensor latent, float timestep) {
    Tensor first = run(0, latent, timestep);
    if (prompts.size() == 1) {
      return first;
    }
    float[] uncond = first.data();
    float[] cond = run(1, latent, timestep).data();
    float[] v = new float[uncond.length];
    for (int i = 0; i < v.length; i++) {
      v[i] = uncond[i] + guidance * (cond[i] - uncond[i]);
    }
    return new Tensor(latent.shape(), v);
  }

  private Tensor run(int prompt, Tensor latent, float timestep) {
    Map<String, Feed> values = new HashMap<>(prompts.get(prompt));
    values.putAll(conditioning.at(timestep, prompt));
    values.put("latent", Feed.of(latent));
    values.put("timestep", Feed.of(Tensor.of(new float[] {timestep}, 1)));
    return model.run(CallStages.feeds(step, values)).get("velocity");
  }

  @Override
  public void close() {
    model.close();
  }
}
