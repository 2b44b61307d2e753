package org.rectiflow.pipeline.checkpoint;

import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.safetensors.TensorSource;

/**
 * One part of a model in an open file, whatever else the file holds and however it names tensors.
 *
 * @param source the file, or the shards; not closed by this
 * @param prefix what the names of the part's tensors begin with there
 * @param layout whose names follow the prefix
 * @param names the part's tensors, without the prefix
 */
public record StoredPart(
    Part part, TensorSource source, String prefix, Layout layout, Set<String> names) {

  /** The metadata key by which a file with one part says which: the part's folder. */
  public static final String KEY = "rectiflow.part";

  /** Whose names tensors have. Text encoders are called the same by both. */
  public enum Layout {
    /** Stability's single files. */
    ORIGINAL,
    /** diffusers' folders. */
    DIFFUSERS
  }

  public StoredPart {
    names = Collections.unmodifiableSet(new TreeSet<>(names));
  }

  /** All tensors of a file as one part. */
  static StoredPart whole(Part part, TensorSource source, Layout layout) {
    return new StoredPart(part, source, "", layout, source.tensors().keySet());
  }

  /** The tensors under diffusers' names. */
  public WeightSource weights() {
    WeightSource stored = new PrefixedWeights(new StoredWeights(source), prefix, names);
    return layout == Layout.DIFFUSERS
        ? stored
        : table().<WeightSource>map(t -> new OriginalWeights(stored, t)).orElse(stored);
  }

  /** The part's table of names; none for the text encoders, whose names are the same. */
  public Optional<NameTable> table() {
    return table(part, names);
  }

  /** The table of a part whose tensors have these names, in either layout. */
  public static Optional<NameTable> table(Part part, Set<String> names) {
    return switch (part) {
      case TRANSFORMER -> Optional.of(MmditNames.of(names));
      case VAE -> Optional.of(VaeNames.of(names));
      case CLIP_L, CLIP_G, T5 -> Optional.empty();
    };
  }

  /** What the part holds. */
  public TensorSummary summary(boolean listed) {
    return TensorSummary.of(
        source,
        listed,
        name -> name.startsWith(prefix) && names.contains(name.substring(prefix.length())));
  }
}
