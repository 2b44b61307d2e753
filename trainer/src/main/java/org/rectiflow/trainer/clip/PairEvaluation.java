package org.rectiflow.trainer.clip;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.training.ContrastiveObjective;
import org.rectiflow.training.Objective;
import org.rectiflow.training.TextTower;

/** Runs the towers with given values over any number of pictures or texts, in whole batches. */
final class PairEvaluation implements AutoCloseable {
  private final List<TrainedEncoder> encoders;
  private final Map<String, Tensor> values;
  private final int batch;
  private final int side;
  private final int width;
  private final Executable executable;

  PairEvaluation(
      ClipVisionModel image,
      List<TrainedEncoder> encoders,
      Map<String, Tensor> values,
      int batch,
      Backend backend) {
    this.encoders = encoders;
    this.values = values;
    this.batch = batch;
    this.side = image.config().imageSize();
    this.width = image.config().featureWidth();
    List<TextTower> towers = encoders.stream().map(TrainedEncoder::tower).toList();
    executable = backend.compile("pairs", ContrastiveObjective.evaluation(image, towers, batch));
  }

  /**
   * What comes of pictures and their captions.
   *
   * @param losses of the whole batches among them
   * @param images [N, P], of unit length
   * @param texts [N, P] of each encoder, by its name
   */
  record Features(List<Double> losses, Tensor images, Map<String, Tensor> texts) {}

  /**
   * Features of pairs. The last batch is filled up with its first pair, and then has no loss.
   *
   * @param pixels [N, 3, S, S]
   * @param captions N of them
   */
  Features run(Tensor pixels, List<String> captions) {
    int count = captions.size();
    int picture = 3 * side * side;
    Tensor images = Tensor.zeros(Shape.of(count, width));
    Map<String, Tensor> texts = new LinkedHashMap<>();
    encoders.forEach(e -> texts.put(e.name(), Tensor.zeros(Shape.of(count, width))));
    List<Double> losses = new ArrayList<>();
    for (int from = 0; from < count; from += batch) {
      int n = Math.min(batch, count - from);
      Tensor part = Tensor.zeros(Shape.of(batch, 3, side, side));
      List<String> said = new ArrayList<>(captions.subList(from, from + n));
      said.addAll(Collections.nCopies(batch - n, captions.get(from)));
      for (int i = 0; i < batch; i++) {
        int source = i < n ? from + i : from;
        System.arraycopy(pixels.data(), source * picture, part.data(), i * picture, picture);
      }
      Map<String, Feed> feeds = new HashMap<>();
      values.forEach((name, value) -> feeds.put(name, Feed.of(value)));
      feeds.put("pixels", Feed.of(part));
      feeds.put("targets", Feed.of(ContrastiveObjective.targets(said)));
      encoders.forEach(encoder -> feeds.putAll(encoder.data(said)));
      Map<String, Tensor> out = executable.run(feeds);
      if (n == batch) {
        losses.add((double) out.get(Objective.LOSS).data()[0]);
      }
      copy(out.get(ContrastiveObjective.IMAGE_FEATURES), images, from, n);
      for (TrainedEncoder encoder : encoders) {
        String output = encoder.tower().prefix() + ContrastiveObjective.TEXT_FEATURES;
        copy(out.get(output), texts.get(encoder.name()), from, n);
      }
    }
    return new Features(losses, images, texts);
  }

  /** Features of texts alone, by the encoder's name. */
  Map<String, Tensor> texts(List<String> texts) {
    return run(Tensor.zeros(Shape.of(texts.size(), 3, side, side)), texts).texts();
  }

  private void copy(Tensor from, Tensor to, int row, int rows) {
    System.arraycopy(from.data(), 0, to.data(), row * width, rows * width);
  }

  @Override
  public void close() {
    executable.close();
  }
}
