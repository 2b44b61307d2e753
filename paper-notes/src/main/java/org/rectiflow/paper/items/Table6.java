package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.evaluation.SamplingEfficiency;
import org.rectiflow.evaluation.lab.ExactModel;
import org.rectiflow.evaluation.lab.ExactSampling;
import org.rectiflow.evaluation.lab.GaussianMixture;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.solver.Solver;

/** Table 6: how few steps larger models need, and how long their sampling paths are. */
public final class Table6 {

  /** A printed row: loss of CLIP score in percent at 5, 10, 20 of 50 steps; path length. */
  private record Row(int depth, double five, double ten, double twenty, double length) {}

  private static final List<Row> PRINTED =
      List.of(
          new Row(15, 4.30, 0.86, 0.21, 191.13),
          new Row(30, 3.59, 0.70, 0.24, 187.96),
          new Row(38, 2.71, 0.14, 0.08, 185.96));

  private static final int CHANNELS = 16;
  private static final int PICTURES = 32;
  private static final long SEED = 6;
  private static final Solver EULER = new Solver.Euler(Solver.Variable.TIME);

  private Table6() {}

  /** Compares the printed lengths with the straight path and with exact models. */
  public static Rendering render() {
    double straight = straight(256);
    DataTable.Builder printed =
        DataTable.of(
            "table-06-path-length",
            "Table 6 as printed; the excess is over the straight path of 256 x 256 latents, "
                + Grids.fixed(straight, 2),
            "depth",
            "5/50 steps [%]",
            "10/50 steps [%]",
            "20/50 steps [%]",
            "path length",
            "excess [%]");
    for (Row row : PRINTED) {
      printed.row(
          Integer.toString(row.depth()),
          Grids.fixed(row.five(), 2),
          Grids.fixed(row.ten(), 2),
          Grids.fixed(row.twenty(), 2),
          Grids.fixed(row.length(), 2),
          Grids.fixed(100 * (row.length() / straight - 1), 2));
    }
    DataTable.Builder floors =
        DataTable.of(
            "table-06-straight-paths",
            "Straight path between independent unit-variance noise and data: sqrt(2 dim)",
            "picture",
            "numbers in the latent",
            "length");
    for (int side : new int[] {256, 512, 1024}) {
      floors.row(
          side + " x " + side,
          Grids.grouped(SamplingEfficiency.latentDimension(side, side, CHANNELS)),
          Grids.fixed(straight(side), 2));
    }
    Miniature study = Miniature.of("efficiency");
    List<String> notes = new ArrayList<>(study.notes());
    notes.addAll(
        List.of(
            "The printed lengths fit latents of 256 x 256 pictures, for which the straight path has"
                + " length 181.02, and no other resolution. sqrt(2 dim) is the distance of a noise"
                + " and a picture that do not depend on each other; an ODE that sends noise to near"
                + " data is shorter: for data N(0, I) the exact path has length (2 - sqrt 2) sqrt(dim)"
                + " = 74.98.",
            "The scores need the trained models. The exact model of a few pictures settles on one of"
                + " them in its first step, and from there its path is straight."));
    return new Rendering(
        List.of(),
        List.of(
            printed.build(),
            floors.build(),
            exact(),
            study
                .cells("efficiency")
                .table("table-06-miniature", "Models trained here for minutes")),
        notes);
  }

  private static double straight(int side) {
    return SamplingEfficiency.straightPathLength(
        SamplingEfficiency.latentDimension(side, side, CHANNELS));
  }

  private static DataTable exact() {
    int dimension = (int) SamplingEfficiency.latentDimension(256, 256, CHANNELS);
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
    double[][] pictures = new double[PICTURES][];
    for (int k = 0; k < PICTURES; k++) {
      pictures[k] = gaussian(random, dimension);
    }
    ExactModel few =
        new ExactModel(
            GaussianMixture.uniform(pictures, 0.01), new RectifiedFlow(), Prediction.VELOCITY);
    double[] noise = gaussian(random, dimension);
    DataTable.Builder table =
        DataTable.of(
            "table-06-exact",
            "Exact models on 32 x 32 x 16 latents, Euler (not the paper's numbers)",
            "data",
            "5 steps",
            "10 steps",
            "50 steps");
    String[] pictureRow = {"32 pictures of unit variance", "", "", ""};
    String[] gaussianRow = {"N(0, I)", "", "", ""};
    int[] steps = {5, 10, 50};
    ExactModel normal =
        new ExactModel(
            GaussianMixture.single(new double[] {0}, 1), new RectifiedFlow(), Prediction.VELOCITY);
    for (int i = 0; i < steps.length; i++) {
      double[] times = ExactSampling.uniformTimes(new RectifiedFlow(), steps[i]);
      pictureRow[i + 1] = Grids.fixed(length(few, times, noise), 2);
      // Every axis shrinks alike, so one stands for all; the norm of the noise is sqrt(dim).
      gaussianRow[i + 1] =
          Grids.fixed(Math.sqrt(dimension) * length(normal, times, new double[] {1}), 2);
    }
    return table.row(pictureRow).row(gaussianRow).build();
  }

  private static double length(ExactModel model, double[] times, double[] noise) {
    return SamplingEfficiency.pathLength(
        ExactSampling.trajectory(model, EULER, times, noise).toArray(double[][]::new));
  }

  private static double[] gaussian(RandomGenerator random, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = random.nextGaussian();
    }
    return x;
  }
}
