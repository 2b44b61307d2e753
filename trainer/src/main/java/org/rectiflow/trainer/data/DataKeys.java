package org.rectiflow.trainer.data;

import java.util.List;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;

/** The keys of run files that say what is trained on. */
public final class DataKeys {
  public static final Key<String> SOURCE =
      Key.of(
          "data.source",
          Kind.oneOf(List.of("shapes")),
          "shapes",
          "shapes: pictures of coloured shapes, drawn from a seed.");

  public static final Key<Long> SEED =
      Key.of("data.seed", Kind.whole(0), 1L, "Seed of the drawn pictures.");

  public static final Key<Long> SAMPLES =
      Key.of("data.samples", Kind.whole(1, Integer.MAX_VALUE), 20_000L, "Pictures that are drawn.");

  public static final Key<Long> SIZE =
      Key.of("data.size", Kind.whole(8, 4096), 64L, "Side of the pictures in pixels.");

  public static final Key<Double> RICH =
      Key.of(
          "data.rich_captions",
          Kind.number(0, 1),
          0.0,
          "Share of captions that say all there is to say (Table 4's synthetic ones).");

  public static final Key<Double> POOR =
      Key.of(
          "data.poor_captions",
          Kind.number(0, 1),
          0.0,
          "Share of captions that name one kind of shape only (Table 4's original ones).");

  /** All of them. */
  public static final List<Key<?>> ALL = List.of(SOURCE, SEED, SAMPLES, SIZE, RICH, POOR);

  private DataKeys() {}
}
