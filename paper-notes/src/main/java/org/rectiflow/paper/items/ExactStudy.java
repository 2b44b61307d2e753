package org.rectiflow.paper.items;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.evaluation.ControlSetting;
import org.rectiflow.evaluation.FrechetDistance;
import org.rectiflow.evaluation.GaussianStatistics;
import org.rectiflow.evaluation.RankingStudy;
import org.rectiflow.evaluation.RankingStudy.Score;
import org.rectiflow.evaluation.lab.ExactModel;
import org.rectiflow.evaluation.lab.ExactSampling;
import org.rectiflow.evaluation.lab.GaussianMixture;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.VarianceExploding;
import org.rectiflow.scheduler.solver.Solver;

/**
 * The study of Section 5.1 with perfect networks. Classes are the components of a mixture of
 * Gaussians; guidance is classifier-free guidance with the exact conditional and unconditional
 * outputs.
 */
final class ExactStudy {

  /** Samples of each setting (Appendix B.3). */
  private static final int SAMPLES = 1000;

  private static final int CLASSES = 8;
  private static final long SEED = 20240305;

  private final RankingStudy ranking;
  private final Map<String, String> samplerOfFormulation;

  private ExactStudy(RankingStudy ranking, Map<String, String> samplerOfFormulation) {
    this.ranking = ranking;
    this.samplerOfFormulation = samplerOfFormulation;
  }

  /** Runs all 61 formulations over six samplers and two data sets. */
  static ExactStudy run() {
    Map<String, String> samplerOfFormulation = new LinkedHashMap<>();
    Map<String, NoisePath> paths = new LinkedHashMap<>();
    for (Formulation formulation : Formulation.study()) {
      String sampler = samplerName(formulation);
      samplerOfFormulation.put(formulation.name(), sampler);
      paths.put(sampler, formulation.path());
    }
    double[][] noise = noise();
    RankingStudy ranking = new RankingStudy(List.copyOf(samplerOfFormulation.keySet()));
    Map<String, GaussianMixture> datasets = datasets();
    datasets.forEach((name, data) -> {
      for (ControlSetting.Sampler sampler : ControlSetting.PAPER_SAMPLERS) {
        Map<String, Score> scores = new HashMap<>();
        paths.forEach((pathName, path) -> scores.put(pathName, score(data, path, sampler, noise)));
        Map<String, Score> all = new HashMap<>();
        samplerOfFormulation.forEach(
            (formulation, pathName) -> all.put(formulation, scores.get(pathName)));
        // An exact network has no averaged copy; the setting stands for both.
        ranking.add(new ControlSetting(name, false, sampler.steps(), sampler.guidance()), all);
      }
    });
    return new ExactStudy(ranking, samplerOfFormulation);
  }

  /** The ranks of all formulations. */
  RankingStudy ranking() {
    return ranking;
  }

  /** The sampler that a formulation comes down to when its network is perfect. */
  String samplerOf(String formulation) {
    return samplerOfFormulation.get(formulation);
  }

  /** How many formulations come down to a sampler. */
  String formulationsOf(String sampler) {
    return Long.toString(samplerOfFormulation.values().stream().filter(sampler::equals).count());
  }

  private static String samplerName(Formulation formulation) {
    return switch (formulation.path()) {
      case RectifiedFlow _ -> "rf (any density)";
      case VarianceExploding _ -> formulation.name();
      default -> formulation.path().name() + " (eps and v)";
    };
  }

  private static Score score(
      GaussianMixture data, NoisePath path, ControlSetting.Sampler sampler, double[][] noise) {
    Solver solver =
        new Solver.Euler(
            path instanceof VarianceExploding ? Solver.Variable.NOISE_RATIO : Solver.Variable.TIME);
    ExactModel model = new ExactModel(data, path, Prediction.VELOCITY);
    double[] times = ExactSampling.uniformTimes(path, sampler.steps());
    double[][] samples = new double[SAMPLES][];
    double agreement = 0;
    for (int i = 0; i < SAMPLES; i++) {
      int requested = i % CLASSES;
      ExactModel guided = model.guided(data.component(requested), sampler.guidance());
      samples[i] = ExactSampling.sample(guided, solver, times, noise[i]);
      agreement += data.responsibilities(samples[i], 1, 0)[requested];
    }
    double distance = FrechetDistance.between(GaussianStatistics.of(samples), data.statistics());
    return new Score(agreement / SAMPLES, distance);
  }

  private static double[][] noise() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
    double[][] noise = new double[SAMPLES][2];
    for (double[] row : noise) {
      row[0] = random.nextGaussian();
      row[1] = random.nextGaussian();
    }
    return noise;
  }

  /** Overlapping clusters on a ring, and clusters of unequal width in a spiral. */
  private static Map<String, GaussianMixture> datasets() {
    double[][] ring = new double[CLASSES][];
    double[][] spiral = new double[CLASSES][];
    double[] weights = new double[CLASSES];
    double[] widths = new double[CLASSES];
    for (int k = 0; k < CLASSES; k++) {
      double angle = 2 * Math.PI * k / CLASSES;
      double radius = 0.3 + 0.2 * k;
      ring[k] = new double[] {1.3 * Math.cos(angle), 1.3 * Math.sin(angle)};
      spiral[k] = new double[] {radius * Math.cos(angle), radius * Math.sin(angle)};
      weights[k] = 1.0 / CLASSES;
      widths[k] = 0.1 + 0.05 * k;
    }
    Map<String, GaussianMixture> datasets = new LinkedHashMap<>();
    datasets.put("ring", GaussianMixture.uniform(ring, 0.3));
    datasets.put("spiral", new GaussianMixture(weights, spiral, widths));
    return datasets;
  }
}
