package org.rectiflow.study.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.rectiflow.trainer.config.Kind;

/** What a report can show. */
public enum Section {
  /** Mean ranks over all control settings, as Table 1. */
  RANKING,
  /** Alignment and Frechet distance of each variant at one number of steps, as Table 2. */
  SCORES,
  /** Frechet distance over sampling steps, as Figure 3. */
  STEPS,
  /** Validation loss over training steps, as the left of Figure 4. */
  TRAINING,
  /** Largest attention logit and attention entropy over training steps, as Figure 5. */
  ATTENTION,
  /** Validation loss over training FLOPs, and scores over validation loss, as Figure 8. */
  SCALING,
  /** Frechet distance over depth for each variant, as Figure 10. */
  DEPTH,
  /** Success rates by category, as Table 4. */
  CATEGORIES,
  /** Score lost with fewer steps, and path length, as Table 6. */
  EFFICIENCY,
  /** Last validations of preparations, such as autoencoders' reconstructions, as Table 3. */
  PREPARATIONS;

  /** The name in study files. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Kind<Section> kind() {
    List<String> keys = Arrays.stream(values()).map(Section::key).toList();
    Kind<String> words = Kind.oneOf(keys);
    return new Kind<>(
        words.description(),
        value -> valueOf(words.reader().apply(value).toUpperCase(Locale.ROOT)));
  }
}
