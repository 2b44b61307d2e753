package org.rectiflow.mmdit;

import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;

/**
 * Latents to tokens and back: "Patching", "Positional Embedding" and "Unpatching" of Figure 2(a).
 */
final class PatchEmbedding {
  private final MmditConfig config;
  private final int rows;
  private final int columns;

  /**
   * @param height rows of the latent
   * @param width columns of the latent
   * @throws IllegalArgumentException if they do not divide into patches or exceed the position
   *     table
   */
  PatchEmbedding(MmditConfig config, int height, int width) {
    int p = config.patchSize();
    int limit = config.positionTableSize();
    if (height % p != 0 || width % p != 0 || height < p || width < p) {
      throw new IllegalArgumentException(
          "a latent of %dx%d does not divide into patches of %d".formatted(height, width, p));
    }
    if (height / p > limit || width / p > limit) {
      throw new IllegalArgumentException(
          "a latent of %dx%d has more than the %d patches a side that the model's position table holds: make the picture at most %d pixels a side"
              .formatted(height, width, limit, limit * p * 8));
    }
    this.config = config;
    this.rows = height / p;
    this.columns = width / p;
  }

  /** Latent [B, C, H, W] to tokens [B, rows columns, width], row by row. */
  Value embed(Params params, Value latent) {
    Graph g = params.graph();
    int b = latent.shape().dim(0);
    int c = config.latentChannels();
    int p = config.patchSize();
    Value patches = g.permute(g.reshape(latent, b, c, rows, p, columns, p), 0, 2, 4, 1, 3, 5);
    Value tokens = g.reshape(patches, b, rows * columns, config.patchValues());
    Value weight =
        params.getAs(
            "proj.weight",
            new int[] {config.width(), c, p, p},
            config.width(),
            config.patchValues());
    Value embedded = g.linear(tokens, weight, params.get("proj.bias", config.width()));
    return g.add(embedded, positions(params));
  }

  /** The centre of the stored table, cropped to the latent's grid (paper, Appendix B.2). */
  Value positions(Params params) {
    int side = config.positionTableSize();
    int top = (side - rows) / 2;
    int left = (side - columns) / 2;
    int[] ids = new int[rows * columns];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (top + i / columns) * side + left + i % columns;
    }
    Value table =
        params.getAs(
            "pos_embed", new int[] {1, side * side, config.width()}, side * side, config.width());
    return params.graph().gather(table, params.graph().constant(IntTensor.of(ids, ids.length)));
  }

  /** Tokens [B, rows columns, p p C], channels fastest, to [B, C, H, W]. */
  Value unpatchify(Graph g, Value tokens) {
    int b = tokens.shape().dim(0);
    int c = config.latentChannels();
    int p = config.patchSize();
    Value pixels = g.permute(g.reshape(tokens, b, rows, columns, p, p, c), 0, 5, 1, 3, 2, 4);
    return g.reshape(pixels, b, c, rows * p, columns * p);
  }
}
