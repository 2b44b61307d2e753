package org.rectiflow.pipeline.verify;

import java.util.Map;
import java.util.Optional;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.TensorSummary;

/**
 * Whether a model can answer a case of a golden file: it has the encoders, and T5's weights are
 * stored as those were that the case was computed with.
 */
final class CaseFit {
  private static final Map<String, String> DTYPES =
      Map.of("t5xxl_fp16", "F16", "t5xxl_fp8_e4m3fn", "F8_E4M3");

  private final Checkpoint checkpoint;

  CaseFit(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  /** Why the case cannot be answered; empty if it can. */
  Optional<String> problem(GoldenCase item) {
    for (Part clip : new Part[] {Part.CLIP_L, Part.CLIP_G}) {
      if (checkpoint.part(clip).isEmpty()) {
        return Optional.of(
            "this model has no %s; give it with %s".formatted(clip.title(), clip.flag()));
      }
    }
    if (item.withoutT5()) {
      return Optional.empty();
    }
    Optional<TensorSummary> t5 = checkpoint.summary(Part.T5, false);
    if (t5.isEmpty()) {
      return Optional.of("this model has no T5; give it with " + Part.T5.flag());
    }
    String stored = mostOf(t5.get().dtypes());
    return item.t5()
        .filter(DTYPES::containsKey)
        .filter(t -> !DTYPES.get(t).equals(stored))
        .map(t -> "computed with %s, but this model's T5 is stored as %s".formatted(t, stored));
  }

  /** The dtype of most elements: norms are kept in a wider one. */
  private static String mostOf(Map<String, Long> dtypes) {
    return dtypes.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
  }
}
