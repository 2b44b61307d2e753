package org.rectiflow.mmdit;

import org.rectiflow.engine.Graph;

/**
 * A network that answers the velocity v_Theta(z_t, t) of a noised latent, given a prompt: {@link
 * Mmdit}, or one of the backbones that the paper compares it with (Section 5.2.3).
 */
public interface VelocityModel {

  /** The sizes; every backbone is described by those of {@link Mmdit}. */
  MmditConfig config();

  /**
   * The graph of one call.
   *
   * <p>Inputs: {@code latent} [B, C, height, width]; {@code timestep} [B], which is 1000 sigma, not
   * rounded; {@code context} [B, L, contextWidth], the prompt embedding; {@code pooled} [B,
   * pooledWidth]. Output: {@code velocity}, shaped as the latent.
   *
   * @param batch B
   * @param height rows of the latent, a multiple of the patch size; the picture has 8 times as many
   * @param width columns of the latent
   * @param contextTokens L
   * @param taps also return {@code blockN.image} [B, tokens, width], the image tokens that each
   *     block puts out, and {@code blockN.text} [B, L, width] where the block changes text tokens
   * @throws IllegalArgumentException if the size does not fit the patches or the position table
   * @throws org.rectiflow.engine.CheckpointException if a tensor is missing, misshaped or left over
   */
  Graph graph(int batch, int height, int width, int contextTokens, boolean taps);
}
