package org.rectiflow.study.measure;

import java.util.List;
import java.util.Optional;
import org.rectiflow.evaluation.PixelImage;

/** What pictures are compared by. */
interface Features extends AutoCloseable {

  /** The features of each picture. */
  double[][] of(List<PixelImage> pictures);

  /**
   * How well each picture shows its text, where the features come with a text tower: the cosine of
   * both embeddings.
   */
  default Optional<double[]> alignment(List<PixelImage> pictures, List<String> texts) {
    return Optional.empty();
  }

  @Override
  default void close() {}
}
