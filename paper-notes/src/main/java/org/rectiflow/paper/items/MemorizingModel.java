package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.evaluation.Memorization;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.evaluation.lab.ExactModel;
import org.rectiflow.evaluation.lab.ExactSampling;
import org.rectiflow.evaluation.lab.GaussianMixture;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.solver.Solver;

/**
 * A model that has learnt its few training pictures by heart: the exact model of a finite set. Each
 * prompt has a set of its own, in which one picture may come several times. Every generation is a
 * near copy of a training picture; duplicates decide how often it is the same one.
 */
final class MemorizingModel {

  private static final int PICTURES = 40;
  private static final int SIDE = 16;
  private static final int STEPS = 20;
  private static final double PIXEL_STD = 0.02;
  private static final Solver EULER = new Solver.Euler(Solver.Variable.TIME);

  private final long seed;

  MemorizingModel(long seed) {
    this.seed = seed;
  }

  /**
   * The largest clique of each generation of a prompt.
   *
   * @param prompt number of the prompt
   * @param copies how often the prompt's first picture is in the training set
   * @param generations number of pictures drawn
   */
  int[] largestCliques(int prompt, int copies, int generations) {
    RandomGenerator random =
        RandomGeneratorFactory.of("L64X128MixRandom").create(seed + 1000L * prompt);
    double[][] pictures = new double[PICTURES][SIDE * SIDE];
    double[] weights = new double[PICTURES];
    double[] stds = new double[PICTURES];
    for (int k = 0; k < PICTURES; k++) {
      for (int i = 0; i < pictures[k].length; i++) {
        pictures[k][i] = random.nextDouble();
      }
      weights[k] = (k == 0 ? copies : 1.0) / (PICTURES - 1 + copies);
      stds[k] = PIXEL_STD;
    }
    ExactModel model =
        new ExactModel(
            new GaussianMixture(weights, pictures, stds), new RectifiedFlow(), Prediction.VELOCITY);
    double[] times = ExactSampling.uniformTimes(new RectifiedFlow(), STEPS);
    List<PixelImage> generated = new ArrayList<>();
    for (int g = 0; g < generations; g++) {
      double[] noise = new double[SIDE * SIDE];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = random.nextGaussian();
      }
      generated.add(picture(ExactSampling.sample(model, EULER, times, noise)));
    }
    return Memorization.graph(
            generated, Memorization.PAPER_TILES_PER_SIDE, Memorization.PAPER_EPSILON)
        .largestCliqueThrough();
  }

  private static PixelImage picture(double[] values) {
    float[] data = new float[values.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) values[i];
    }
    return new PixelImage(1, SIDE, SIDE, data);
  }
}
