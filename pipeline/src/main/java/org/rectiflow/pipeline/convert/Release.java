package org.rectiflow.pipeline.convert;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.SingleFile;
import org.rectiflow.pipeline.checkpoint.StoredPart;
import org.rectiflow.pipeline.checkpoint.StoredPart.Layout;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/** The sizes of the released models, from their configurations on Hugging Face. */
public enum Release {
  SD3_MEDIUM(24, 192, false, 0),
  /** With a second attention in the first thirteen of its blocks. */
  SD35_MEDIUM(24, 384, true, 13),
  /** large-turbo has the same sizes. */
  SD35_LARGE(38, 192, true, 0);

  private static final int LATENT_CHANNELS = 16;
  private static final int CONTEXT = 4096;
  private static final int POOLED = 2048;
  private static final float NORM_EPS = 1e-5f;
  private static final VaeConfig VAE =
      new VaeConfig(
          LATENT_CHANNELS,
          List.of(128, 256, 512, 512),
          2,
          VaeConfig.SD3_GROUPS,
          VaeConfig.SD3_SCALING_FACTOR,
          VaeConfig.SD3_SHIFT_FACTOR);
  private static final T5Config T5 =
      new T5Config(32128, CONTEXT, 24, 64, 64, 10240, 32, 128, 1e-6f);

  private final MmditConfig transformer;

  Release(int depth, int positions, boolean qkNorm, int dualBlocks) {
    Set<Integer> dual = IntStream.range(0, dualBlocks).boxed().collect(Collectors.toSet());
    this.transformer =
        new MmditConfig(
            depth,
            MmditConfig.HEAD_SIZE * depth,
            depth,
            LATENT_CHANNELS,
            2,
            CONTEXT,
            POOLED,
            positions,
            qkNorm,
            dual);
  }

  /** CLIP-L has its projection, an identity, in diffusers' layout only. */
  private static ClipConfig clip(Part part, Layout layout) {
    return part == Part.CLIP_L
        ? new ClipConfig(
            49408,
            77,
            768,
            12,
            12,
            3072,
            Activation.QUICK_GELU,
            NORM_EPS,
            768,
            layout == Layout.DIFFUSERS)
        : new ClipConfig(49408, 77, 1280, 32, 20, 5120, Activation.GELU_ERF, NORM_EPS, 1280, true);
  }

  /** The transformer with fewer blocks, all else as it is. */
  MmditConfig transformer(int blocks) {
    return new MmditConfig(
        blocks,
        transformer.width(),
        transformer.heads(),
        transformer.latentChannels(),
        transformer.patchSize(),
        transformer.contextWidth(),
        transformer.pooledWidth(),
        transformer.positionTableSize(),
        transformer.qkNorm(),
        transformer.dualAttentionBlocks().stream()
            .filter(block -> block < blocks)
            .collect(Collectors.toSet()));
  }

  /** Blocks of the transformer. */
  public int blocks() {
    return transformer.depth();
  }

  /** Names and shapes of a part's tensors as {@code layout} has them, without prefix. */
  Map<String, List<Long>> shapes(Part part, Layout layout, int blocks) {
    Map<String, List<Long>> ours = ParameterShapes.of(model(part, layout, blocks));
    if (part == Part.T5 && layout == Layout.ORIGINAL) {
      ours.put("encoder.embed_tokens.weight", ours.get("shared.weight"));
    }
    return layout == Layout.DIFFUSERS
        ? ours
        : StoredPart.table(part, ours.keySet())
            .map(table -> ParameterShapes.original(table, ours))
            .orElse(ours);
  }

  private Consumer<WeightSource> model(Part part, Layout layout, int blocks) {
    return weights -> {
      switch (part) {
        case TRANSFORMER ->
            new Mmdit(transformer(blocks), weights)
                .graph(1, transformer.patchSize(), transformer.patchSize(), 1, false);
        case VAE -> {
          Autoencoder vae = new Autoencoder(VAE, weights);
          vae.encoder(1, VAE.factor(), VAE.factor());
          vae.decoder(1, 1, 1);
        }
        case CLIP_L, CLIP_G -> new ClipTextModel(clip(part, layout), weights).graph(1, 1);
        case T5 -> new T5Encoder(T5, weights).graph(1, 1);
      }
    };
  }

  /** The configuration of a part in diffusers' layout. */
  Map<String, Object> config(Part part, int blocks) {
    return switch (part) {
      case TRANSFORMER ->
          DiffusersConfigs.transformer(transformer(blocks), SingleFile.sampleSize(transformer));
      case VAE -> DiffusersConfigs.vae(VAE);
      case CLIP_L, CLIP_G -> DiffusersConfigs.clip(part, clip(part, Layout.DIFFUSERS));
      case T5 -> DiffusersConfigs.t5(T5);
    };
  }
}
