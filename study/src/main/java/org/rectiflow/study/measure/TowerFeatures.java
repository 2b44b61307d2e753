package org.rectiflow.study.measure;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.rectiflow.encoders.ClipScorer;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.checkpoint.ClipFolder;
import org.rectiflow.trainer.data.Pixels;

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
    Tensor features = scorer.imageFeatures(Pixels.tensor(pictures, pictures.size()));
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
    Tensor images = scorer.imageFeatures(Pixels.tensor(pictures, pictures.size()));
    return Optional.of(ClipScorer.alignment(images, scorer.textFeatures(texts)));
  }

  @Override
  public void close() {
    try (folder) {
      scorer.close();
    }
  }
}
