package org.rectiflow.pipeline;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.VelocityModel;

/**
 * The transformer made ready for one size of picture and one prompt: the velocity with
 * classifier-free guidance. Without guidance (a scale of at most 1) the model runs on the prompt
 * alone, as in diffusers; with it, on a batch of two, unconditional first.
 */
public final class Denoiser implements AutoCloseable {
  private final Executable model;
  private final boolean guided;
  private final float guidance;
  private final Map<String, Feed> prompt = new HashMap<>();

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
    this.guided = guidance > 1;
    this.guidance = (float) guidance;
    int batch = guided ? 2 : 1;
    int tokens = embeds.context().shape().dim(1);
    model = backend.compile("mmdit", transformer.graph(batch, height, width, tokens, false));
    PromptEmbedding both = guided ? PromptEmbedding.batch(List.of(negative, embeds)) : embeds;
    prompt.put("context", Feed.of(both.context()));
    prompt.put("pooled", Feed.of(both.pooled()));
  }

  /**
   * The velocity {@code uncond + guidance (cond - uncond)}.
   *
   * @param latent [1, C, h, w]
   * @param timestep 1000 sigma
   */
  public Tensor velocity(Tensor latent, float timestep) {
    Map<String, Feed> feeds = new HashMap<>(prompt);
    if (!guided) {
      feeds.put("latent", Feed.of(latent));
      feeds.put("timestep", Feed.of(Tensor.of(new float[] {timestep}, 1)));
      return model.run(feeds).get("velocity");
    }
    feeds.put("latent", Feed.of(twice(latent)));
    feeds.put("timestep", Feed.of(Tensor.of(new float[] {timestep, timestep}, 2)));
    float[] both = model.run(feeds).get("velocity").data();
    float[] v = new float[both.length / 2];
    for (int i = 0; i < v.length; i++) {
      v[i] = both[i] + guidance * (both[v.length + i] - both[i]);
    }
    return new Tensor(latent.shape(), v);
  }

  private static Tensor twice(Tensor latent) {
    int n = latent.data().length;
    float[] both = Arrays.copyOf(latent.data(), 2 * n);
    System.arraycopy(latent.data(), 0, both, n, n);
    return new Tensor(latent.shape().with(0, 2), both);
  }

  /** Bytes of activations. */
  public long arenaBytes() {
    return model.arenaBytes();
  }

  @Override
  public void close() {
    model.close();
  }
}
