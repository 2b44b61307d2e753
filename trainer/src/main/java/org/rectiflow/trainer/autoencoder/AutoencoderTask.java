package org.rectiflow.trainer.autoencoder;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.convert.DiffusersConfigs;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.Meter;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.data.EpochOrder;
import org.rectiflow.trainer.data.PixelBatch;
import org.rectiflow.trainer.data.Randoms;
import org.rectiflow.trainer.transformer.ModelFolder;
import org.rectiflow.trainer.transformer.ValueWeights;
import org.rectiflow.training.AutoencoderObjective;
import org.rectiflow.training.LatentStatistics;
import org.rectiflow.training.Objective;
import org.rectiflow.training.PerceptualTerm;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.LatentSpace;
import org.rectiflow.vae.VaeConfig;

/**
 * Trains an autoencoder on pictures. While it is trained its latents are not normalised; a
 * checkpoint has the factors measured on its own latents.
 */
final class AutoencoderTask implements Task {
  /** What a checkpoint does not take over from the base: it would not fit the new latents. */
  private static final Set<String> REPLACED =
      Set.of("transformer", "scheduler", "vae", "rectiflow.json", "training", "model_index.json");

  private static final List<String> TERMS = List.of("reconstruction", "divergence", "perceptual");
  private static final long LATENT_SEED = 0;

  private final Settings settings;
  private final Backend backend;
  private final Path base;
  private final Network network;
  private final Dataset training;
  private final Dataset heldOut;
  private final int side;
  private final EpochOrder order;

  /**
   * The network that is trained.
   *
   * @param config its sizes; scaling factor 1, shift factor 0
   * @param weights its tensors as they begin; empty until they are asked for
   * @param perceptual with which it is judged, if with one
   * @param opened closed with the task
   */
  record Network(
      VaeConfig config,
      WeightSource weights,
      Optional<PerceptualTerm> perceptual,
      AutoCloseable opened) {}

  AutoencoderTask(
      Settings settings,
      Backend backend,
      Path base,
      Network network,
      Dataset training,
      Dataset heldOut) {
    this.settings = settings;
    this.backend = backend;
    this.base = base;
    this.network = network;
    this.training = training;
    this.heldOut = heldOut;
    side = settings.number(DataKeys.SIZE);
    order = new EpochOrder(settings.get(LoopKeys.SEED), training.size());
  }

  private Autoencoder model(WeightSource weights) {
    return new Autoencoder(network.config(), weights);
  }

  @Override
  public Objective objective(Recompute recompute) {
    return AutoencoderObjective.of(
        model(network.weights()),
        batchSize(),
        side,
        side,
        settings.get(AutoencoderKeys.DIVERGENCE).floatValue(),
        network.perceptual(),
        recompute);
  }

  @Override
  public int batchSize() {
    return settings.number(LoopKeys.BATCH);
  }

  @Override
  public Map<String, Feed> batch(long step, int part) {
    int size = batchSize();
    long first = ((step - 1) * settings.get(LoopKeys.ACCUMULATION) + part) * size;
    int[] indices = new int[size];
    Tensor noise = Tensor.zeros(latents(size));
    int elements = noise.data().length / size;
    for (int i = 0; i < size; i++) {
      indices[i] = order.at(first + i);
      RandomGenerator random = Randoms.of(settings.get(LoopKeys.SEED), "sample", first + i);
      fill(noise.data(), i * elements, elements, random);
    }
    return Map.of(
        "pixels", Feed.of(PixelBatch.of(training, indices, side).pixels()),
        "noise", Feed.of(noise));
  }

  private Shape latents(int batch) {
    int small = side / network.config().factor();
    return Shape.of(batch, network.config().latentChannels(), small, small);
  }

  private static void fill(float[] values, int from, int count, RandomGenerator random) {
    for (int i = 0; i < count; i++) {
      values[from + i] = (float) random.nextGaussian();
    }
  }

  /** The loss's terms before their weights. */
  @Override
  public void observe(Map<String, Feed> batch, Map<String, Tensor> outputs, Meter meter) {
    for (String term : TERMS) {
      if (outputs.containsKey(term)) {
        meter.add(term, outputs.get(term).data()[0]);
      }
    }
  }

  private Reconstruction reconstruction(Map<String, Tensor> parameters) {
    return new Reconstruction(model(network.weights()), parameters, side, backend);
  }

  @Override
  public Validation validate(Map<String, Tensor> parameters) {
    try (Reconstruction reconstruction = reconstruction(parameters)) {
      return reconstruction.validate(heldOut, settings.get(AutoencoderKeys.DIVERGENCE));
    }
  }

  /** Originals in the upper row, their reconstructions in the lower. */
  @Override
  public List<String> sample(Path folder, Map<String, Tensor> parameters) throws IOException {
    int shown = Math.min(settings.number(AutoencoderKeys.PICTURES), heldOut.size());
    Tensor sheet = Tensor.zeros(Shape.of(1, 3, 2 * side, shown * side));
    try (Reconstruction reconstruction = reconstruction(parameters)) {
      int done = 0;
      while (done < shown) {
        Reconstruction.Group group = reconstruction.run(heldOut, done);
        int count = Math.min(group.count(), shown - done);
        for (int i = 0; i < count; i++) {
          paste(sheet, group.pixels().row(i).data(), 0, done + i);
          paste(sheet, group.decoded().row(i).data(), 1, done + i);
        }
        done += count;
      }
    }
    String name = "reconstructions.png";
    PngFile.write(
        folder.resolve(name),
        Picture.of(sheet, Picture.Rounding.NEAREST),
        Map.of("Description", "held-out pictures, and below them their reconstructions"));
    return List.of(name);
  }

  private void paste(Tensor sheet, float[] picture, int row, int column) {
    int width = sheet.shape().dim(3);
    int height = sheet.shape().dim(2);
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < side; y++) {
        System.arraycopy(
            picture,
            (c * side + y) * side,
            sheet.data(),
            (c * height + row * side + y) * width + column * side,
            side);
      }
    }
  }

  /**
   * The autoencoder, and what stands in the base besides: a folder that a transformer can be
   * trained on.
   */
  @Override
  public void writeModel(Path folder, Map<String, Tensor> parameters) throws IOException {
    ModelFolder.copyParts(base, folder, REPLACED);
    ModelFolder.writePart(
        folder,
        "vae",
        new ValueWeights(network.weights(), parameters),
        DiffusersConfigs.vae(latentStatistics(parameters).applyTo(network.config())));
    ModelFolder.writeIndex(folder);
  }

  /** Of samples of the posteriors of the first training pictures. */
  private LatentStatistics latentStatistics(Map<String, Tensor> parameters) {
    LatentStatistics statistics = new LatentStatistics();
    int pictures = Math.min(settings.number(AutoencoderKeys.LATENT_SAMPLES), training.size());
    RandomGenerator random = Randoms.of(LATENT_SEED, "latents", 0);
    try (Reconstruction reconstruction = reconstruction(parameters)) {
      int done = 0;
      while (done < pictures) {
        Reconstruction.Group group = reconstruction.run(training, done);
        Tensor noise = Tensor.zeros(group.mean().shape());
        fill(noise.data(), 0, noise.data().length, random);
        Tensor latents = LatentSpace.sample(group.mean(), group.logvar(), noise);
        int count = Math.min(group.count(), pictures - done);
        for (int i = 0; i < count; i++) {
          statistics.add(latents.row(i).data());
        }
        done += count;
      }
    }
    return statistics;
  }

  @Override
  public void close() {
    try {
      network.opened().close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
