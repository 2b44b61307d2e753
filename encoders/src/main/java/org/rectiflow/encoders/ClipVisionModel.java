package org.rectiflow.encoders;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * CLIP's image model (Radford et al., "Learning Transferable Visual Models From Natural Language
 * Supervision", 2021, Section 2.4): a vision transformer whose class token becomes the picture's
 * features. The paper takes Frechet distances and alignment scores on such features (Section 5.1).
 *
 * <p>The tensors have the names of transformers' CLIPVisionModelWithProjection.
 */
public final class ClipVisionModel {
  /** A tensor some files carry and nothing here needs. */
  private static final Set<String> UNUSED = Set.of("vision_model.embeddings.position_ids");

  private final ClipVisionConfig config;
  private final ClipLayers layers;
  private final WeightSource weights;

  public ClipVisionModel(ClipVisionConfig config, WeightSource weights) {
    this.config = config;
    this.layers =
        new ClipLayers(
            config.width(), config.heads(), config.mlpWidth(), config.activation(), config.eps());
    this.weights = weights;
  }

  public ClipVisionConfig config() {
    return config;
  }

  /** The name of the output of layer {@code i}, counted from 0. */
  public static String hidden(int i) {
    return "hidden." + i;
  }

  /**
   * The graph of one call.
   *
   * <p>Input: {@code pixels} [B, 3, S, S] in -1 to 1. Outputs: {@code features} [B, featureWidth],
   * projected, not of unit length (transformers' image_embeds); {@code pooled} [B, width], the
   * normed class token before the projection; {@link #hidden} [B, 1 + patches, width] of every
   * layer, class token first.
   *
   * @throws org.rectiflow.engine.CheckpointException if a tensor is missing, misshaped or left over
   */
  public Graph graph(int batch) {
    Graph g = new Graph();
    Params params = new Params(g, weights);
    Params model = params.in("vision_model");
    Value pixels =
        g.input("pixels", batch, ClipVisionConfig.CHANNELS, config.imageSize(), config.imageSize());
    Value x;
    try (Scope _ = g.scope("embed")) {
      // The misspelling is transformers'.
      x = layers.norm(model, "pre_layrnorm", embed(model.in("embeddings"), normalise(g, pixels)));
    }
    for (int i = 0; i < config.layers(); i++) {
      try (Scope _ = g.scope("layer" + i)) {
        x = layers.layer(model.in("encoder.layers." + i), x, false);
      }
      g.output(hidden(i), x);
    }
    try (Scope _ = g.scope("pool")) {
      Value token = g.reshape(g.slice(x, 1, 0, 1), batch, config.width());
      Value pooled = layers.norm(model, "post_layernorm", token);
      g.output("pooled", pooled);
      g.output("features", params.linearNoBias("visual_projection", pooled, config.featureWidth()));
    }
    params.requireAllUsed(UNUSED);
    return g;
  }

  /** From -1 to 1 to what the model was trained with. */
  private Value normalise(Graph g, Value pixels) {
    PixelNorm norm = config.pixels();
    if (norm.equals(PixelNorm.SYMMETRIC)) {
      return pixels;
    }
    int plane = config.imageSize() * config.imageSize();
    Shape shape = pixels.shape();
    Tensor factor = Tensor.zeros(Shape.of(shape.dim(1), shape.dim(2), shape.dim(3)));
    Tensor offset = Tensor.zeros(factor.shape());
    for (int c = 0; c < ClipVisionConfig.CHANNELS; c++) {
      float mean = norm.mean().get(c);
      float deviation = norm.deviation().get(c);
      Arrays.fill(factor.data(), c * plane, (c + 1) * plane, 0.5f / deviation);
      Arrays.fill(offset.data(), c * plane, (c + 1) * plane, (0.5f - mean) / deviation);
    }
    return g.add(g.mul(pixels, g.constant(factor)), g.constant(offset));
  }

  /** Class token and patches, with their positions. */
  private Value embed(Params p, Value pixels) {
    Graph g = p.graph();
    int b = pixels.shape().dim(0);
    int size = config.patchSize();
    int side = config.imageSize() / size;
    int c = ClipVisionConfig.CHANNELS;
    int width = config.width();
    // A convolution with stride and kernel of one patch is a linear layer of patches.
    Value cut = g.permute(g.reshape(pixels, b, c, side, size, side, size), 0, 2, 4, 1, 3, 5);
    Value weight =
        p.getAs("patch_embedding.weight", new int[] {width, c, size, size}, width, c * size * size);
    Value patches = g.linear(g.reshape(cut, b, side * side, c * size * size), weight);
    Value token = g.repeat(g.reshape(p.get("class_embedding", width), 1, width), 0, b);
    Value x = g.concat(1, List.of(token, patches));
    return g.add(x, p.get("position_embedding.weight", 1 + side * side, width));
  }
}
