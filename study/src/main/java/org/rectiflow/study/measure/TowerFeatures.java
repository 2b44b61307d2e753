package org.rectiflow.study.measure;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.rectiflow.encoders.ClipScorer;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.checkpoint.ClipFolder;

/** Features of CLIP towers, as the paper takes for CLIP score and FID (Appendix B.3). */
final class TowerFeatures implements Features {
  private static final int BATCH = 16;

  private final ClipFolder folder;
  private final ClipScorer scorer;

  /**
   * Opens towers.
   *
   * @param path a folder of transformers' CLIPModel
   */
  TowerFeatures(Path path, Backend backend) {
    folder = ClipFolder.open(path);
    try {
      scorer = new ClipScorer(backend, folder.vision(), folder.text(), folder.tokenizer(), BATCH);
    } catch (RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  @Override
  public double[][] of(List<PixelImage> pictures) {
    Tensor features = scorer.imageFeatures(pixels(pictures));
    int width = features.shape().dim(1);
    double[][] rows = new double[pictures.size()][width];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < width; j++) {
        rows[i][j] = features.data()[i * width + j];
      }
    }
    return rows;
  }

  @Override
  public Optional<double[]> alignment(List<PixelImage> pictures, List<String> texts) {
    Tensor images = scorer.imageFeatures(pixels(pictures));
    return Optional.of(ClipScorer.alignment(images, scorer.textFeatures(texts)));
  }

  /** [N, 3, S, S], -1 to 1. */
  private static Tensor pixels(List<PixelImage> pictures) {
    PixelImage first = pictures.getFirst();
    int each = first.data().length;
    float[] all = new float[pictures.size() * each];
    for (int i = 0; i < pictures.size(); i++) {
      float[] values = pictures.get(i).data();
      for (int j = 0; j < each; j++) {
        all[i * each + j] = 2 * values[j] - 1;
      }
    }
    return Tensor.of(all, pictures.size(), first.channels(), first.height(), first.width());
  }

  @Override
  public void close() {
    try (folder) {
      scorer.close();
    }
  }
}
