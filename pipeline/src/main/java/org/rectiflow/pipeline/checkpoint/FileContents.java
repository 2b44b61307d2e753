package org.rectiflow.pipeline.checkpoint;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.pipeline.checkpoint.StoredPart.Layout;
import org.rectiflow.safetensors.TensorInfo;
import org.rectiflow.safetensors.TensorSource;

/**
 * What a safetensors file holds, told from its tensors: names of files say little. A part is found
 * by one tensor that it has in every release; what stands before that tensor's name is the part's
 * prefix, and the tensors with that prefix are the part.
 *
 * @param source the file
 * @param parts the parts that are in it
 * @param unknown tensors of none of them, in order
 * @param foreign what the file is, where it is known to be something else
 */
record FileContents(
    TensorSource source,
    Map<Part, StoredPart> parts,
    List<String> unknown,
    Optional<Foreign> foreign) {

  private static final String JOINT_BLOCK = "joint_blocks.0.x_block.attn.qkv.weight";
  private static final String TRANSFORMER_BLOCK = "transformer_blocks.0.attn.add_q_proj.weight";
  private static final String VAE_ORIGINAL = "decoder.mid.block_1.conv1.weight";
  private static final String VAE_DIFFUSERS = "decoder.mid_block.resnets.0.conv1.weight";
  private static final String CLIP_TOKENS = "text_model.embeddings.token_embedding.weight";
  private static final String CLIP_PROJECTION = "text_projection.weight";
  private static final String T5_QUERY = "encoder.block.0.layer.0.SelfAttention.q.weight";

  private static final Set<String> LATENTS = Set.of("noise", "latents");

  private static final long CLIP_L_WIDTH = 768;
  private static final long CLIP_G_WIDTH = 1280;

  /** Where a part was found. */
  private record Found(Part part, String prefix, Layout layout, boolean certain) {}

  /** Looks at a file's header. */
  static FileContents of(TensorSource source) {
    Optional<Foreign> foreign = Foreign.of(source.tensors().keySet());
    List<Found> found = new ArrayList<>();
    if (foreign.isEmpty()) {
      for (TensorInfo info : source.tensors().values()) {
        find(source, info).ifPresent(found::add);
      }
    }
    // "model.diffusion_model." before "": the longest prefix owns a tensor.
    found.sort(Comparator.comparingInt((Found f) -> f.prefix().length()).reversed());
    Map<Found, TreeSet<String>> names = new java.util.LinkedHashMap<>();
    found.forEach(f -> names.put(f, new TreeSet<>()));
    List<String> unknown = new ArrayList<>();
    for (String name : source.tensors().keySet()) {
      Optional<Found> owner = found.stream().filter(f -> name.startsWith(f.prefix())).findFirst();
      if (isSpare(name)) {
        continue;
      }
      owner.ifPresentOrElse(
          f -> names.get(f).add(name.substring(f.prefix().length())), () -> unknown.add(name));
    }
    Map<Part, StoredPart> parts = new EnumMap<>(Part.class);
    names.forEach((f, own) -> {
      StoredPart part = new StoredPart(f.part(), source, f.prefix(), f.layout(), own);
      if (parts.putIfAbsent(f.part(), part) != null) {
        throw new CheckpointException(
            "%s holds the %s twice, under %s and under %s; expected one of each part"
                .formatted(
                    source.path(),
                    f.part().title(),
                    quoted(parts.get(f.part()).prefix()),
                    quoted(f.prefix())));
      }
    });
    return new FileContents(source, parts, List.copyOf(unknown), foreign);
  }

  private static String quoted(String prefix) {
    return prefix.isEmpty() ? "no prefix" : "\"" + prefix + "\"";
  }

  /** Tensors that programs store beside an encoder and nothing here needs. */
  private static boolean isSpare(String name) {
    return name.endsWith(".logit_scale") || name.endsWith(".position_ids");
  }

  private static Optional<Found> find(TensorSource source, TensorInfo info) {
    String name = info.name();
    if (name.endsWith(JOINT_BLOCK)) {
      return found(Part.TRANSFORMER, name, JOINT_BLOCK, Layout.ORIGINAL);
    }
    if (name.endsWith(TRANSFORMER_BLOCK)) {
      return found(Part.TRANSFORMER, name, TRANSFORMER_BLOCK, Layout.DIFFUSERS);
    }
    if (name.endsWith(VAE_ORIGINAL)) {
      return found(Part.VAE, name, VAE_ORIGINAL, Layout.ORIGINAL);
    }
    if (name.endsWith(VAE_DIFFUSERS)) {
      return found(Part.VAE, name, VAE_DIFFUSERS, Layout.DIFFUSERS);
    }
    if (name.endsWith(T5_QUERY)) {
      return found(Part.T5, name, T5_QUERY, Layout.ORIGINAL);
    }
    return name.endsWith(CLIP_TOKENS) ? Optional.of(clip(source, info)) : Optional.empty();
  }

  private static Optional<Found> found(Part part, String name, String marker, Layout layout) {
    String prefix = name.substring(0, name.length() - marker.length());
    return Optional.of(new Found(part, prefix, layout, true));
  }

  /**
   * Which CLIP it is: as the prefix says, else as the width of the released ones says, else as the
   * metadata says if {@code convert} wrote the file, else CLIP-G is the one with a projection,
   * which CLIP-L lacks in the original layout.
   */
  private static Found clip(TensorSource source, TensorInfo info) {
    String prefix = info.name().substring(0, info.name().length() - CLIP_TOKENS.length());
    long width = info.rank() == 2 ? info.shape().get(1) : 0;
    if (prefix.contains("clip_l") || prefix.contains("clip_g")) {
      return new Found(
          prefix.contains("clip_l") ? Part.CLIP_L : Part.CLIP_G, prefix, Layout.ORIGINAL, true);
    }
    if (width == CLIP_L_WIDTH || width == CLIP_G_WIDTH) {
      return new Found(
          width == CLIP_L_WIDTH ? Part.CLIP_L : Part.CLIP_G, prefix, Layout.ORIGINAL, true);
    }
    String named = source.metadata().getOrDefault(StoredPart.KEY, "");
    if (named.equals(Part.CLIP_L.folder()) || named.equals(Part.CLIP_G.folder())) {
      return new Found(
          named.equals(Part.CLIP_L.folder()) ? Part.CLIP_L : Part.CLIP_G,
          prefix,
          Layout.ORIGINAL,
          true);
    }
    boolean projected = source.tensors().containsKey(prefix + CLIP_PROJECTION);
    return new Found(projected ? Part.CLIP_G : Part.CLIP_L, prefix, Layout.ORIGINAL, false);
  }

  /**
   * The part that a flag says is here.
   *
   * @throws CheckpointException if it is not
   */
  StoredPart as(Part wanted) {
    StoredPart part = parts.get(wanted);
    Part twin = wanted == Part.CLIP_L ? Part.CLIP_G : Part.CLIP_L;
    boolean clip = wanted == Part.CLIP_L || wanted == Part.CLIP_G;
    if (part == null && clip && parts.size() == 1 && parts.containsKey(twin)) {
      StoredPart other = parts.get(twin);
      if (!isReleased(other)) {
        // A small CLIP looks like either; the flag knows.
        part = new StoredPart(wanted, source, other.prefix(), other.layout(), other.names());
      }
    }
    if (part == null) {
      throw new CheckpointException(
          "%s %s: expected %s, found %s.%s"
              .formatted(wanted.flag(), source.path(), wanted.title(), describe(), flagInstead()));
    }
    return part;
  }

  private static boolean isReleased(StoredPart clip) {
    TensorInfo tokens = clip.source().info(clip.prefix() + CLIP_TOKENS);
    return tokens.rank() == 2
        && (tokens.shape().get(1) == CLIP_L_WIDTH || tokens.shape().get(1) == CLIP_G_WIDTH);
  }

  private String flagInstead() {
    return parts.size() == 1
        ? " Give it with %s.".formatted(parts.keySet().iterator().next().flag())
        : "";
  }

  /** What the file is, for messages: {@code a T5 text encoder}. */
  String describe() {
    if (foreign.isPresent()) {
      return foreign.get().what();
    }
    if (source.tensors().keySet().equals(LATENTS)) {
      return "noise and final latents as `generate --latents` writes them";
    }
    if (parts.isEmpty()) {
      return "no part of a Stable Diffusion 3 model"
          + unknown.stream().findFirst().map(n -> " (its first tensor is " + n + ")").orElse("");
    }
    return "a file with " + String.join(", ", parts.keySet().stream().map(Part::title).toList());
  }

  /**
   * Checks that every tensor belongs to something.
   *
   * @throws CheckpointException naming the first that does not
   */
  void requireAllKnown() {
    if (!unknown.isEmpty()) {
      throw new CheckpointException(
          "%s has %d tensors that belong to no part of a Stable Diffusion 3 model, the first is %s. The file holds more than a model, or a newer form of one; `rectiflow inspect --tensors %s` lists them."
              .formatted(source.path(), unknown.size(), unknown.getFirst(), source.path()));
    }
  }
}
