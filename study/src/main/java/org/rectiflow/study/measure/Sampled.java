package org.rectiflow.study.measure;

import java.util.Map;

/**
 * Measurements of pictures from one sampler.
 *
 * @param weights {@code ema} or {@code raw}
 * @param steps of Euler's method
 * @param guidance scale of classifier-free guidance
 * @param alignment in [0, 1] or a cosine: how well pictures show their prompts
 * @param frechet Frechet distance of features to those of held-out pictures
 * @param pathLength mean length of the paths in latent space (Table 6)
 * @param rates success rate of each category of prompts by the rules of the shapes world
 */
public record Sampled(
    String weights,
    int steps,
    double guidance,
    double alignment,
    double frechet,
    double pathLength,
    Map<String, Double> rates) {}
