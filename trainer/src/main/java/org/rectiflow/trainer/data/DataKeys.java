package org.rectiflow.trainer.data;

import java.util.List;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;

/** The keys of run files that say what is trained on. */
public final class DataKeys {
  public static final Key<String> SOURCE =
      Key.of(
          "data.source",
          Kind.oneOf(List.of("shapes", "folder", "idx")),
          "shapes",
          "shapes: pictures of coloured shapes, drawn from a seed. folder: PNG and JPEG files with captions in metadata.jsonl (Hugging Face's imagefolder). idx: MNIST's format.");

  public static final Key<String> FOLDER =
      Key.of("data.folder", Kind.text(), "", "The folder of `folder`.");

  public static final Key<String> PICTURES =
      Key.of("data.pictures", Kind.text(), "", "The file with pictures of `idx`.");

  public static final Key<String> LABELS =
      Key.of("data.labels", Kind.text(), "", "The file with labels of `idx`.");

  public static final Key<List<String>> CAPTIONS =
      Key.of(
          "data.captions",
          Kind.listOf(Kind.text()),
          List.of("digits"),
          "Captions of `idx`'s labels 0, 1 and so on; [\"digits\"] and [\"fashion\"] stand for MNIST's and Fashion-MNIST's.");

  public static final Key<Double> HELD_OUT =
      Key.of(
          "data.held_out",
          Kind.number(0, 1),
          0.05,
          "Share of the examples of `folder` and `idx` that are kept for validation, always the same ones.");

  public static final Key<Long> SEED =
      Key.of("data.seed", Kind.whole(0), 1L, "Seed of the pictures of `shapes`.");

  public static final Key<Long> SAMPLES =
      Key.of(
          "data.samples",
          Kind.whole(1, Integer.MAX_VALUE),
          20_000L,
          "How many pictures of `shapes` are drawn.");

  public static final Key<Long> SIZE =
      Key.of(
          "data.size",
          Kind.whole(8, 4096),
          64L,
          "Side of the pictures in pixels; larger and smaller files are resized.");

  public static final Key<Double> RICH =
      Key.of(
          "data.rich_captions",
          Kind.number(0, 1),
          0.0,
          "Share of captions of `shapes` that say all there is to say (Table 4's synthetic ones).");

  public static final Key<Double> POOR =
      Key.of(
          "data.poor_captions",
          Kind.number(0, 1),
          0.0,
          "Share of captions of `shapes` that name one kind of shape only (Table 4's original ones).");

  public static final Key<Double> PARTIAL =
      Key.of(
          "data.partial_captions",
          Kind.number(0, 1),
          0.0,
          "Share of captions of `shapes` that leave out sizes, colours, places and relations at random.");

  public static final Key<String> CACHE =
      Key.of(
              "data.cache",
              Kind.text(),
              "",
              "A folder that keeps latents and text embeddings for later runs; empty: they are computed at each start and held in memory. Never changes a result.")
          .changeable();

  /** All of them. */
  public static final List<Key<?>> ALL =
      List.of(
          SOURCE, SIZE, SEED, SAMPLES, RICH, POOR, PARTIAL, FOLDER, PICTURES, LABELS, CAPTIONS,
          HELD_OUT, CACHE);

  private DataKeys() {}
}
