package org.rectiflow.encoders;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;

/**
 * Features of pictures and texts by a trained CLIP pair, and what the paper measures with them
 * (Section 5.1): the alignment of pictures with their prompts (CLIP score); image features for the
 * Frechet distance; besides, zero-shot classification as a test of the pair.
 *
 * <p>Works in batches of one size. Used by one thread at a time; backend, weights and tokenizer
 * have to stay open as long as this does.
 */
public final class ClipScorer implements AutoCloseable {
  private final int batch;
  private final int tokens;
  private final ClipVisionConfig sizes;
  private final PromptTokenizer tokenizer;
  private final Executable image;
  private final Executable text;

  /**
   * @param batch pictures or texts at a time
   */
  public ClipScorer(
      Backend backend,
      ClipVisionModel vision,
      ClipTextModel text,
      PromptTokenizer tokenizer,
      int batch) {
    this.batch = batch;
    this.sizes = vision.config();
    this.tokenizer = tokenizer;
    this.tokens =
        Math.min(
            text.config().positions(), tokenizer.maxLength().orElse(text.config().positions()));
    this.image = backend.compile("CLIP image", only("features", vision.graph(batch)));
    this.text = backend.compile("CLIP text", only("pooled", text.graph(batch, tokens)));
  }

  /** A graph with one of its outputs, so that no memory is kept for the others. */
  private static Graph only(String output, Graph model) {
    Graph g = new Graph();
    g.output("features", g.include(model, Map.of(), g::parameter).get(output));
    return g;
  }

  /**
   * Features of pictures, projected, not of unit length.
   *
   * @param pixels [N, 3, S, S] in -1 to 1
   * @return [N, P]
   * @throws IllegalArgumentException if the pictures have another size than the model's
   */
  public Tensor imageFeatures(Tensor pixels) {
    int size = sizes.imageSize();
    Shape one = Shape.of(ClipVisionConfig.CHANNELS, size, size);
    Shape given = pixels.shape();
    if (given.rank() != 4 || !given.equals(Shape.of(given.dim(0), one.dim(0), size, size))) {
      throw new IllegalArgumentException(
          "pictures %s for a CLIP image model of [N, 3, %d, %d]; scale them first"
              .formatted(given, size, size));
    }
    int values = Math.toIntExact(one.count());
    float[] block = new float[batch * values];
    return inBatches(
        given.dim(0),
        (from, count) -> {
          System.arraycopy(pixels.data(), from * values, block, 0, count * values);
          Tensor part = Tensor.of(block, batch, one.dim(0), size, size);
          return image.run(Map.of("pixels", Feed.of(part)));
        });
  }

  /**
   * Features of texts, projected, not of unit length; what does not fit the model is cut.
   *
   * @return [N, P]
   */
  public Tensor textFeatures(List<String> texts) {
    int[] ids = new int[batch * tokens];
    int[] ends = new int[batch];
    return inBatches(
        texts.size(),
        (from, count) -> {
          for (int i = 0; i < count; i++) {
            TokenizedPrompt prompt = tokenizer.encode(texts.get(from + i), tokens);
            System.arraycopy(prompt.ids(), 0, ids, i * tokens, tokens);
            ends[i] = i * tokens + prompt.indexOf(tokenizer.eos());
          }
          return text.run(
              Map.of(
                  "ids", Feed.of(IntTensor.of(ids, batch, tokens)),
                  "end", Feed.of(IntTensor.of(ends, batch))));
        });
  }

  /** Runs one batch: entries {@code from} to {@code from + count}. */
  @FunctionalInterface
  private interface Part {
    Map<String, Tensor> run(int from, int count);
  }

  /** The last batch is filled up with whatever was there before; the surplus is dropped. */
  private Tensor inBatches(int count, Part part) {
    int width = sizes.featureWidth();
    Tensor all = Tensor.zeros(Shape.of(count, width));
    for (int from = 0; from < count; from += batch) {
      int n = Math.min(batch, count - from);
      float[] features = part.run(from, n).get("features").data();
      System.arraycopy(features, 0, all.data(), from * width, n * width);
    }
    return all;
  }

  /**
   * The cosine of each picture's and its own text's features: the CLIP score of each pair, not
   * times 100.
   *
   * @param images [N, P]
   * @param texts [N, P]
   */
  public static double[] alignment(Tensor images, Tensor texts) {
    if (!images.shape().equals(texts.shape())) {
      throw new IllegalArgumentException(
          "features of pictures %s and of texts %s; each picture needs its text"
              .formatted(images.shape(), texts.shape()));
    }
    double[] cosines = new double[images.shape().dim(0)];
    Arrays.setAll(cosines, i -> cosine(images, i, texts, i));
    return cosines;
  }

  /**
   * For each picture the text of the largest cosine: zero-shot classification, if the texts are
   * captions of classes (Radford et al. 2021, Section 3.1).
   *
   * @param images [N, P]
   * @param texts [M, P]
   * @return N indices of texts; the first of equals
   */
  public static int[] classify(Tensor images, Tensor texts) {
    int[] best = new int[images.shape().dim(0)];
    for (int i = 0; i < best.length; i++) {
      double largest = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < texts.shape().dim(0); j++) {
        double cosine = cosine(images, i, texts, j);
        if (cosine > largest) {
          largest = cosine;
          best[i] = j;
        }
      }
    }
    return best;
  }

  private static double cosine(Tensor a, int i, Tensor b, int j) {
    int width = a.shape().dim(1);
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int k = 0; k < width; k++) {
      double x = a.data()[i * width + k];
      double y = b.data()[j * width + k];
      dot += x * y;
      aa += x * x;
      bb += y * y;
    }
    return dot / Math.max(1e-12, Math.sqrt(aa * bb));
  }

  @Override
  public void close() {
    image.close();
    text.close();
  }
}
