package org.rectiflow.pipeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/**
 * tiny-sd3 in the original layout: one file for the transformer and the autoencoder, one for each
 * encoder, and the bigger single files put together from these as they are published.
 */
public final class SingleFiles {
  public static final Path TINY = Path.of("../testdata/models/tiny-sd3-single");
  public static final Path MMDIT_VAE = TINY.resolve("mmdit_vae.safetensors");
  public static final Path CLIP_L = TINY.resolve("text_encoders/clip_l.safetensors");
  public static final Path CLIP_G = TINY.resolve("text_encoders/clip_g.safetensors");
  public static final Path T5_FP8 = TINY.resolve("text_encoders/t5xxl_fp8_e4m3fn.safetensors");
  private static final Path T5_FP16 =
      ModelFolders.TINY_SD3.resolve("text_encoder_3/model.safetensors");

  private SingleFiles() {}

  /** With both CLIPs. */
  public static Path inclClips(Path folder) {
    return write(folder.resolve("incl_clips.safetensors"), null, "");
  }

  /** With both CLIPs and T5 in float16, its embedding twice. */
  public static Path inclClipsT5Fp16(Path folder) {
    return write(
        folder.resolve("incl_clips_t5_fp16.safetensors"), T5_FP16, "encoder.embed_tokens.weight");
  }

  /** With both CLIPs and T5 in float8. */
  public static Path inclClipsT5Fp8(Path folder) {
    return write(folder.resolve("incl_clips_t5_fp8.safetensors"), T5_FP8, "");
  }

  private static Path write(Path target, Path t5, String secondEmbedding) {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (TensorSource mmdit = TensorSource.open(MMDIT_VAE);
        TensorSource clipL = TensorSource.open(CLIP_L);
        TensorSource clipG = TensorSource.open(CLIP_G);
        TensorSource encoder = TensorSource.open(t5 == null ? T5_FP8 : t5)) {
      writer.metadata(mmdit.metadata());
      add(writer, mmdit, "", _ -> true);
      add(writer, clipL, "text_encoders.clip_l.transformer.", _ -> true);
      add(writer, clipG, "text_encoders.clip_g.transformer.", _ -> true);
      if (t5 != null) {
        String prefix = "text_encoders.t5xxl.transformer.";
        add(writer, encoder, prefix, _ -> true);
        if (!secondEmbedding.isEmpty()) {
          writer.copy(prefix + secondEmbedding, encoder, "shared.weight");
        }
      }
      writer.write(target);
    }
    return target;
  }

  /** Copies tensors under a prefix. */
  public static void add(
      SafetensorsWriter writer, TensorSource source, String prefix, Predicate<String> which) {
    source.tensors().keySet().stream()
        .filter(which)
        .forEach(name -> writer.copy(prefix + name, source, name));
  }

  /** A copy of a file under a name that says nothing. */
  public static Path copy(Path file, Path target) {
    try {
      Files.createDirectories(target.getParent());
      return Files.copy(file, target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All files of tiny-sd3 in the original layout, as they are published one by one. */
  public static List<Path> all() {
    return List.of(MMDIT_VAE, CLIP_L, CLIP_G, T5_FP8);
  }
}
