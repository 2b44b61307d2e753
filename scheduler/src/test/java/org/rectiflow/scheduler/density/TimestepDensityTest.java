package org.rectiflow.scheduler.density;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.apache.commons.statistics.inference.KolmogorovSmirnovTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.ResolutionShift;

class TimestepDensityTest {

  private static final int SAMPLES = 1_000_000;

  static Stream<TimestepDensity> densities() {
    List<TimestepDensity> plain =
        List.of(
            new Uniform(),
            new LogitNormal(0, 1),
            new LogitNormal(0.5, 0.6),
            new LogitNormal(-1, 2.2),
            new LogitNormal(1, 0.2),
            new Mode(1.29),
            new Mode(1.75),
            new Mode(-0.5417),
            new Mode(Mode.MIN_SCALE),
            new Mode(Mode.MAX_SCALE),
            new CosMap(),
            new EdmLogNormal(new RectifiedFlow(), -1.2, 1.2),
            new EdmLogNormal(new Cosine(), 0.6, 1.8));
    ResolutionShift shift = new ResolutionShift(3);
    return Stream.concat(
        plain.stream(), plain.stream().map(density -> new ResolutionShifted(density, shift)));
  }

  /** Integrates by the tanh-sinh rule on the two sides of the median, where mode has its peak. */
  @ParameterizedTest
  @MethodSource("densities")
  void densityIntegratesToOne(TimestepDensity density) {
    double middle = density.quantile(0.5);
    if (unbounded(density)) {
      // Its mass within one rounding error of the pole is more than 1e-9, so the pole is left out
      // on both sides.
      double inset = 1e-3;
      assertMass(density, inset, middle - inset);
      assertMass(density, middle + inset, 1 - inset);
      return;
    }
    double integral = integrate(density, 0, middle) + integrate(density, middle, 1);
    System.out.printf("%s: integral - 1 = %.1e%n", density.name(), integral - 1);
    assertThat(integral).isCloseTo(1, within(1e-9));
  }

  /** Mode at the bounds of its scale. */
  private static boolean unbounded(TimestepDensity density) {
    return switch (density) {
      case Mode mode -> mode.scale() == Mode.MIN_SCALE || mode.scale() == Mode.MAX_SCALE;
      case ResolutionShifted shifted -> unbounded(shifted.base());
      default -> false;
    };
  }

  private static void assertMass(TimestepDensity density, double from, double to) {
    double mass = density.cdf(to) - density.cdf(from);
    double integral = integrate(density, from, to);
    System.out.printf("%s: integral - mass = %.1e%n", density.name(), integral - mass);
    assertThat(integral).isCloseTo(mass, within(1e-9));
  }

  private static double integrate(TimestepDensity density, double from, double to) {
    double step = 1.0 / 256;
    double sum = 0;
    for (int k = -1100; k <= 1100; k++) {
      double x = k * step;
      double outer = 0.5 * Math.PI * Math.sinh(x);
      double weight = 0.5 * Math.PI * Math.cosh(x) / Math.pow(Math.cosh(outer), 2);
      // The distance to the nearer end, which the node itself would lose.
      double distance = (to - from) / (1 + Math.exp(2 * Math.abs(outer)));
      double t = x < 0 ? from + distance : to - distance;
      double value = density.pdf(t);
      if (weight > 0 && Double.isFinite(value)) {
        sum += weight * value;
      }
    }
    return sum * step * (to - from) / 2;
  }

  @ParameterizedTest
  @MethodSource("densities")
  void quantileInvertsTheDistributionFunction(TimestepDensity density) {
    double largest = 0;
    for (int i = 1; i < 2000; i++) {
      double t = i / 2000.0;
      // Of the two tails the one that can tell times apart.
      boolean lower = density.cdf(t) <= 0.5;
      if (Math.min(density.cdf(t), density.survival(t)) < Double.MIN_NORMAL) {
        continue; // Beyond what a double can hold.
      }
      double back =
          lower ? density.quantile(density.cdf(t)) : density.survivalQuantile(density.survival(t));
      largest = Math.max(largest, Math.abs(back - t));
    }
    System.out.printf("%s: quantile(cdf(t)) - t at most %.1e%n", density.name(), largest);
    assertThat(largest).isLessThan(1e-12);
  }

  @ParameterizedTest
  @MethodSource("densities")
  void quantileOfTheDistributionFunctionAloneHoldsInTheBulk(TimestepDensity density) {
    double largest = 0;
    for (int i = 1; i < 1000; i++) {
      double t = i / 1000.0;
      // One unit in the last place of the distribution function moves t by 1e-16 / pdf.
      if (density.pdf(t) > 1e-3) {
        largest = Math.max(largest, Math.abs(density.quantile(density.cdf(t)) - t));
      }
    }
    assertThat(largest).isLessThan(1e-12);
  }

  @ParameterizedTest
  @MethodSource("densities")
  void distributionFunctionIsTheIntegralOfTheDensity(TimestepDensity density) {
    for (double t : new double[] {0.2, 0.45, 0.8}) {
      double h = 1e-6;
      double slope = (density.cdf(t + h) - density.cdf(t - h)) / (2 * h);
      assertThat(density.pdf(t)).isCloseTo(slope, within(1e-6 * (1 + slope)));
      assertThat(density.cdf(t) + density.survival(t)).isCloseTo(1, within(1e-15));
    }
    assertThat(density.cdf(0)).isEqualTo(0);
    assertThat(density.cdf(1)).isEqualTo(1);
    assertThat(density.quantile(0)).isEqualTo(0);
    assertThat(density.quantile(1)).isEqualTo(1);
    assertThat(density.survivalQuantile(1)).isEqualTo(0);
    assertThat(density.survivalQuantile(0)).isEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("densities")
  void samplesFollowTheDistributionFunction(TimestepDensity density) {
    assertFollows(density, density.sample(random(density.name().hashCode()), SAMPLES));
    assertThat(density.sample(random(7), 3)).containsExactly(density.sample(random(7), 3));
  }

  /** Draws by the paper's own recipes, which share no code with the distribution functions. */
  @Test
  void recipesOfThePaperFollowTheDistributionFunctions() {
    RandomGenerator random = random(1);
    for (double[] parameters : new double[][] {{0, 1}, {1, 0.6}, {-0.5, 2.2}}) {
      double[] samples =
          DoubleStream.generate(() -> random.nextGaussian(parameters[0], parameters[1]))
              .map(x -> 1 / (1 + Math.exp(-x)))
              .limit(SAMPLES)
              .toArray();
      assertFollows(new LogitNormal(parameters[0], parameters[1]), samples);
    }
    for (double s : new double[] {1.29, 1.75, -0.5417}) {
      double[] samples =
          random
              .doubles(SAMPLES)
              .map(u -> 1 - u - s * (Math.pow(Math.cos(Math.PI / 2 * u), 2) - 1 + u))
              .toArray();
      assertFollows(new Mode(s), samples);
    }
    assertFollows(
        new CosMap(),
        random.doubles(SAMPLES).map(u -> 1 - 1 / (Math.tan(Math.PI / 2 * u) + 1)).toArray());
  }

  private static void assertFollows(TimestepDensity density, double[] samples) {
    var result = KolmogorovSmirnovTest.withDefaults().test(samples, density::cdf);
    System.out.printf(
        "%s: D = %.2e, p = %.3f%n", density.name(), result.getStatistic(), result.getPValue());
    assertThat(result.getPValue()).isGreaterThan(0.001);
  }

  private static RandomGenerator random(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  @ParameterizedTest
  @MethodSource("densities")
  void argumentsOutsideAreRefused(TimestepDensity density) {
    for (double bad : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatThrownBy(() -> density.pdf(bad)).hasMessageContaining("A time must lie in [0, 1]");
      assertThatThrownBy(() -> density.cdf(bad)).hasMessageContaining("A time must lie in [0, 1]");
      assertThatThrownBy(() -> density.survival(bad))
          .hasMessageContaining("A time must lie in [0, 1]");
      assertThatThrownBy(() -> density.quantile(bad))
          .hasMessageContaining("A probability must lie in [0, 1]");
      assertThatThrownBy(() -> density.survivalQuantile(bad))
          .hasMessageContaining("A probability must lie in [0, 1]");
    }
  }

  @Test
  void densityVectors() {
    double[] times = {0, 0.1, 0.25, 0.5, 0.75, 0.9};
    assertVector(new LogitNormal(0, 1), times, 0, 0.396575, 1.163652, 1.595769, 1.163652, 0.396575);
    assertVector(
        new LogitNormal(0.5, 1), times, 0, 0.116659, 0.592892, 1.408261, 1.778677, 1.049928);
    assertVector(
        new LogitNormal(0.5, 0.6), times, 0, 0.000302, 0.101924, 1.879413, 2.155825, 0.135205);
    assertVector(
        new LogitNormal(1, 0.6), times, 0, 0.000005, 0.007820, 0.663181, 3.498581, 1.009115);
    assertVector(new Mode(1.29), times, 0.43668, 0.50155, 0.68301, 3.79258, 0.68301, 0.50155);
    assertVector(new Mode(1.75), times, 0.36364, 0.41382, 0.54876, 903.809, 0.54876, 0.41382);
    assertVector(new Mode(-0.5417), times, 2.18198, 1.17721, 0.87118, 0.76383, 0.87118, 1.17721);
    assertVector(new CosMap(), times, 0.636620, 0.776366, 1.018592, 1.273240, 1.018592, 0.776366);
  }

  private static void assertVector(TimestepDensity density, double[] times, double... expected) {
    double half = density instanceof Mode ? 5e-6 : 5e-7;
    for (int i = 0; i < times.length; i++) {
      double printed = expected[i] > 100 ? 5e-4 : half;
      assertThat(density.pdf(times[i]))
          .as(density.name() + " at " + times[i])
          .isCloseTo(expected[i], within(printed));
    }
  }

  @Test
  void mapVectors() {
    double[][] mode = {
      {0, 1}, {.1, .802569}, {.25, .616416}, {.5, .5}, {.75, .383584}, {.9, .197431}, {1, 0}
    };
    for (double[] row : mode) {
      assertThat(new Mode(1.29).f(row[0])).isCloseTo(row[1], within(5e-7));
      double cosine = Math.cos(Math.PI * row[0] / 2);
      double equation20 = 1 - row[0] - 1.29 * (cosine * cosine - 1 + row[0]);
      assertThat(new Mode(1.29).f(row[0])).isCloseTo(equation20, within(1e-15));
    }
    double[][] cosMap = {{.1, .136729}, {.25, .292893}, {.5, .5}, {.75, .707107}, {.9, .863271}};
    for (double[] row : cosMap) {
      assertThat(new CosMap().quantile(row[0])).isCloseTo(row[1], within(5e-7));
      double equation21 = 1 - 1 / (Math.tan(Math.PI * row[0] / 2) + 1);
      assertThat(new CosMap().quantile(row[0])).isCloseTo(equation21, within(1e-15));
    }
    double[] probabilities = {.05, .25, .5, .75, .95};
    double[] standard = {.161806, .337492, .5, .662508, .838194};
    double[] narrow = {.503272, .644582, .731059, .802928, .879416};
    for (int i = 0; i < probabilities.length; i++) {
      assertThat(new LogitNormal(0, 1).quantile(probabilities[i]))
          .isCloseTo(standard[i], within(5e-7));
      assertThat(new LogitNormal(1, 0.6).quantile(probabilities[i]))
          .isCloseTo(narrow[i], within(5e-7));
    }
  }

  @Test
  void lawsThatAreTheSame() {
    for (double t : new double[] {0.01, 0.2, 0.5, 0.77, 0.99}) {
      double edmOnRf = new EdmLogNormal(new RectifiedFlow(), 0.6, 1.2).pdf(t);
      assertThat(edmOnRf).isCloseTo(new LogitNormal(0.6, 1.2).pdf(t), within(1e-13));
      assertThat(new EdmLogNormal(new Edm(0.6, 1.2), 0.6, 1.2).pdf(t)).isCloseTo(1, within(1e-12));
      double shifted =
          new ResolutionShifted(new LogitNormal(0.2, 1.1), new ResolutionShift(3)).pdf(t);
      assertThat(shifted).isCloseTo(new LogitNormal(0.2 + Math.log(3), 1.1).pdf(t), within(1e-12));
      assertThat(new Mode(0).pdf(t)).isEqualTo(1);
      // CosMap on rectified flow has the log-SNR law of uniform t on the cosine path.
      double lambda = new Cosine().logSnr(t);
      assertThat(new CosMap().cdf(new RectifiedFlow().timestepOf(lambda)))
          .isCloseTo(t, within(1e-14));
    }
    assertThat(new EdmLogNormal(new RectifiedFlow(), 0, 1).pdf(0)).isEqualTo(0);
    assertThat(new EdmLogNormal(new RectifiedFlow(), 0, 1).pdf(1)).isEqualTo(0);
    assertThat(new EdmLogNormal(new Edm(0, 1), 0, 1).pdf(0)).isEqualTo(1);
    assertThat(new EdmLogNormal(new Edm(0, 1), 0, 2).pdf(1)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(new EdmLogNormal(new Edm(0, 1), 0.1, 1).pdf(1)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(new EdmLogNormal(new Edm(0, 1), 0.1, 1).pdf(0)).isEqualTo(0);
  }

  @Test
  void modeOutsideItsBoundsIsRefusedWithTheReason() {
    for (double s : new double[] {-1.0001, 1.752, Double.NaN}) {
      assertThatThrownBy(() -> new Mode(s))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("[-1, 2/(pi - 2) = 1.7519384]")
          .hasMessageContaining("not monotone");
    }
    assertThat(Mode.MAX_SCALE).isCloseTo(1.7519384, within(5e-8));
  }

  @Test
  void badParametersAreRefused() {
    for (double std : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new LogitNormal(0, std))
          .hasMessageContaining("s of lognorm is a standard deviation");
      assertThatThrownBy(() -> new EdmLogNormal(new RectifiedFlow(), 0, std))
          .hasMessageContaining("P_s of edm");
    }
    assertThatThrownBy(() -> new LogitNormal(Double.NaN, 1)).hasMessageContaining("m of lognorm");
    assertThatThrownBy(() -> new EdmLogNormal(LinearPath.ldm(), 0, 1))
        .hasMessageContaining("reaches every noise level");
  }

  @Test
  void namesAreThePapers() {
    assertThat(new LogitNormal(0, 1).name()).isEqualTo("lognorm(0.00,1.00)");
    assertThat(new LogitNormal(-0.0, 0.25).name()).isEqualTo("lognorm(0.00,0.25)");
    assertThat(new Mode(1.29).name()).isEqualTo("mode(1.29)");
    assertThat(new Mode(-0.5417).name()).isEqualTo("mode(-0.5417)");
    assertThat(new ResolutionShifted(new CosMap(), new ResolutionShift(3)).name())
        .isEqualTo("cosmap+shift(3.00)");
  }
}
