package org.rectiflow.pipeline.checkpoint;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.vae.VaeConfig;

/**
 * What a part is called, told from its sizes. The sizes of the released models are those of their
 * configurations on Hugging Face.
 *
 * @param name of the model: {@code SD3-medium}; for sizes nobody published, whose kind it is
 * @param sizes for people
 */
public record Architecture(String name, String sizes) {
  private static final int MEDIUM_DEPTH = 24;
  private static final int LARGE_DEPTH = 38;

  /** SD3.5-medium has a second attention in its first thirteen blocks. */
  static final Set<Integer> MEDIUM_X_DUAL =
      IntStream.range(0, 13).boxed().collect(Collectors.toUnmodifiableSet());

  static Architecture of(OpenPart part) {
    return switch (part.stored().part()) {
      case TRANSFORMER -> transformer(MmditConfig.of(part.weights()));
      case VAE -> vae(part.vaeConfig());
      case CLIP_L, CLIP_G -> clip(part.stored().part(), part.clipConfig());
      case T5 -> t5(part.t5Config());
    };
  }

  private static Architecture transformer(MmditConfig c) {
    boolean medium = c.depth() == MEDIUM_DEPTH && c.width() == 64 * MEDIUM_DEPTH;
    boolean large = c.depth() == LARGE_DEPTH && c.width() == 64 * LARGE_DEPTH;
    boolean dual = !c.dualAttentionBlocks().isEmpty();
    String name;
    if (medium && !c.qkNorm() && !dual && c.positionTableSize() == 192) {
      name = "SD3-medium";
    } else if (medium && c.qkNorm() && c.dualAttentionBlocks().equals(MEDIUM_X_DUAL)) {
      name = "SD3.5-medium";
    } else if (large && c.qkNorm() && !dual) {
      name = "SD3.5-large or large-turbo";
    } else if (dual) {
      name = "a model of SD3.5-medium's kind";
    } else {
      name = c.qkNorm() ? "a model of SD3.5-large's kind" : "a model of SD3-medium's kind";
    }
    return new Architecture(
        name,
        "MMDiT%s, %d blocks of width %d, %s, position table %dx%d, context %d, pooled %d"
            .formatted(
                dual ? "-X" : "",
                c.depth(),
                c.width(),
                c.qkNorm() ? "QK-norm" : "no QK-norm",
                c.positionTableSize(),
                c.positionTableSize(),
                c.contextWidth(),
                c.pooledWidth()));
  }

  private static Architecture vae(VaeConfig c) {
    boolean released = c.widths().equals(List.of(128, 256, 512, 512)) && c.latentChannels() == 16;
    return new Architecture(
        released ? "SD3's autoencoder" : "an autoencoder of SD3's kind",
        "%d latent channels, widths %s, %d norm groups, factor %d"
            .formatted(c.latentChannels(), c.widths(), c.groups(), c.factor()));
  }

  private static Architecture clip(Part part, ClipConfig c) {
    boolean released =
        part == Part.CLIP_L
            ? c.layers() == 12 && c.width() == 768
            : c.layers() == 32 && c.width() == 1280;
    String known =
        part == Part.CLIP_L ? "CLIP ViT-L/14 text model" : "OpenCLIP ViT-bigG text model";
    return new Architecture(
        released ? known : "a text model of %s's kind".formatted(part.title()),
        "%d layers of width %d, %d tokens, %s"
            .formatted(
                c.layers(),
                c.width(),
                c.vocabulary(),
                c.projected() ? "projection to " + c.pooledWidth() : "no projection"));
  }

  private static Architecture t5(T5Config c) {
    boolean released = c.blocks() == 24 && c.width() == 4096 && c.mlpWidth() == 10240;
    return new Architecture(
        released ? "T5-v1.1-XXL encoder" : "an encoder of T5-v1.1's kind",
        "%d blocks of width %d, %d heads, %d tokens"
            .formatted(c.blocks(), c.width(), c.heads(), c.vocabulary()));
  }
}
