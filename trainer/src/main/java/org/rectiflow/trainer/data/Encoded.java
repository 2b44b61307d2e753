package org.rectiflow.trainer.data;

import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Tensor;

/**
 * An example as the transformer sees it.
 *
 * @param latent [1, C, h, w], the mean of the autoencoder's posterior, normalised
 * @param prompt of its caption, all encoders in place
 * @param caption what was encoded, for encoders that are trained
 */
public record Encoded(Tensor latent, PromptEmbedding prompt, String caption) {}
