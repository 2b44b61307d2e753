package org.rectiflow.scheduler.path;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NoisePathTest {

  static Stream<NoisePath> paths() {
    return Stream.of(
        new RectifiedFlow(),
        new Cosine(),
        LinearPath.ldm(),
        LinearPath.ddpm(),
        new Edm(-1.2, 1.2),
        new Edm(0.6, 1.8),
        new EdmRf(),
        new EdmCos());
  }

  @ParameterizedTest
  @MethodSource("paths")
  void derivativesAreThoseOfTheFunctions(NoisePath path) {
    double largest = 0;
    for (int i = 1; i < 40; i++) {
      // Off the knots of the discrete paths, whose segments are 1/1000 long.
      double t = i / 40.0 + 0.0005;
      double h = 1e-5;
      largest =
          Math.max(largest, relative(path.aDot(t), (path.a(t + h) - path.a(t - h)) / (2 * h)));
      largest =
          Math.max(largest, relative(path.bDot(t), (path.b(t + h) - path.b(t - h)) / (2 * h)));
      largest =
          Math.max(
              largest,
              relative(path.logSnrDot(t), (path.logSnr(t + h) - path.logSnr(t - h)) / (2 * h)));
      double fromFactors = 2 * (path.aDot(t) / path.a(t) - path.bDot(t) / path.b(t));
      assertThat(path.logSnrDot(t)).isCloseTo(fromFactors, within(1e-11 * Math.abs(fromFactors)));
      double ratio = path.a(t) / path.b(t);
      assertThat(path.logSnr(t)).isCloseTo(Math.log(ratio * ratio), within(1e-12));
    }
    System.out.printf("%s: largest difference from finite differences %.1e%n", path, largest);
    assertThat(largest).isLessThan(2e-6);
  }

  private static double relative(double actual, double expected) {
    return Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  }

  @ParameterizedTest
  @MethodSource("paths")
  void logSnrFallsAndHasItsInverse(NoisePath path) {
    double previous = Double.POSITIVE_INFINITY;
    double largest = 0;
    for (int i = 1; i < 1000; i++) {
      double t = i / 1000.0;
      double lambda = path.logSnr(t);
      assertThat(lambda).isLessThan(previous);
      previous = lambda;
      largest = Math.max(largest, Math.abs(path.timestepOf(lambda) - t));
    }
    System.out.printf("%s: timestepOf(logSnr(t)) - t at most %.1e%n", path, largest);
    assertThat(largest).isLessThan(1e-12);
  }

  @ParameterizedTest
  @MethodSource("paths")
  void dataIsAtZero(NoisePath path) {
    assertThat(path.a(0)).isEqualTo(1);
    assertThat(path.b(0)).isEqualTo(0);
    assertThat(path.logSnr(0)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(path.logSnrDot(0)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(path.timestepOf(Double.POSITIVE_INFINITY)).isEqualTo(0);
  }

  @ParameterizedTest
  @MethodSource("paths")
  void conditionalVelocityIsEquation10(NoisePath path) {
    for (double t : new double[] {0.1, 0.4, 0.77}) {
      double x0 = 0.7;
      double eps = -1.3;
      double z = path.noised(x0, eps, t);
      double equation10 = path.aDot(t) / path.a(t) * z - 0.5 * path.b(t) * path.logSnrDot(t) * eps;
      assertThat(path.conditionalVelocity(z, eps, t))
          .isCloseTo(equation10, within(1e-11 * (1 + Math.abs(equation10))));
      assertThat(path.pairVelocity(x0, eps, t))
          .isCloseTo(equation10, within(1e-11 * (1 + Math.abs(equation10))));
    }
  }

  @ParameterizedTest
  @MethodSource("paths")
  void timesOutsideAreRefused(NoisePath path) {
    for (double t : new double[] {-1e-9, 1.0000001, Double.NaN}) {
      String message = "A time must lie in [0, 1]";
      assertThatThrownBy(() -> path.a(t))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
      assertThatThrownBy(() -> path.b(t))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
      assertThatThrownBy(() -> path.aDot(t))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
      assertThatThrownBy(() -> path.bDot(t))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
      assertThatThrownBy(() -> path.logSnr(t))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
      assertThatThrownBy(() -> path.logSnrDot(t))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(message);
    }
    assertThatThrownBy(() -> path.timestepOf(Double.NaN)).hasMessageContaining("NaN");
  }

  @Test
  void pathsEndInNoise() {
    for (NoisePath path : new NoisePath[] {new RectifiedFlow(), new Cosine()}) {
      assertThat(path.a(1)).isEqualTo(0);
      assertThat(path.b(1)).isEqualTo(1);
      assertThat(path.startTime()).isEqualTo(1);
      assertThat(path.startScale()).isEqualTo(1);
      assertThatThrownBy(() -> path.conditionalVelocity(1, 1, 1))
          .hasMessageContaining("where a_t = 0");
    }
    for (NoisePath path : new NoisePath[] {new Edm(-1.2, 1.2), new EdmRf(), new EdmCos()}) {
      assertThat(path.b(1)).isEqualTo(Double.POSITIVE_INFINITY);
      assertThat(path.b(path.startTime())).isCloseTo(80, within(80 * 1e-9));
      assertThat(path.startScale()).isEqualTo(path.b(path.startTime()));
    }
  }

  @Test
  void narrowEdmLawsBeginAtTheLargestNoiseLevelTheyCanExpress() {
    Edm narrow = new Edm(-1.2, 0.6);
    assertThat(narrow.startTime()).isLessThan(1);
    assertThat(narrow.startScale()).isBetween(30.0, 80.0);
  }

  @Test
  void ldmVectors() {
    LinearPath path = LinearPath.ldm();
    assertThat(path.a(path.timeOfIndex(0))).isCloseTo(0.99957491, within(5e-9));
    assertThat(path.b(path.timeOfIndex(0))).isCloseTo(0.02915476, within(5e-9));
    assertThat(path.logSnr(path.timeOfIndex(0))).isCloseTo(7.069424, within(5e-7));
    assertThat(path.a(path.timeOfIndex(499))).isCloseTo(0.52694369, within(5e-9));
    assertThat(path.logSnr(path.timeOfIndex(499))).isCloseTo(-0.956050, within(5e-7));
    assertThat(path.a(path.timeOfIndex(999))).isCloseTo(0.06826491, within(5e-9));
    assertThat(path.b(path.timeOfIndex(999))).isCloseTo(0.99766723, within(5e-9));
    assertThat(path.logSnr(path.timeOfIndex(999))).isCloseTo(-5.364048, within(5e-7));
    assertThatThrownBy(() -> path.timestepOf(-6)).hasMessageContaining("does not reach -6.0");
    assertThatThrownBy(() -> path.timeOfIndex(1000)).hasMessageContaining("0 .. 999, found 1000");
    assertThat(path)
        .isEqualTo(LinearPath.ldm())
        .isNotEqualTo(LinearPath.ddpm())
        .hasSameHashCodeAs(LinearPath.ldm());
  }

  @Test
  void edmVectors() {
    Edm edm = new Edm(-1.2, 1.2);
    double[][] rows = {{0.1, 0.064709, 5.475724}, {0.5, 0.301194, 2.4}, {0.9, 1.401947, -0.675724}};
    for (double[] row : rows) {
      assertThat(edm.b(row[0])).isCloseTo(row[1], within(5e-7));
      assertThat(edm.logSnr(row[0])).isCloseTo(row[2], within(5e-7));
    }
    assertThat(new Edm(0, 0.6).b(0.9)).isCloseTo(2.157459, within(5e-7));
    assertThat(new Edm(0.6, 1.2).b(0.9)).isCloseTo(8.481284, within(5e-7));
  }

  @Test
  void parametersThatMakeNoPathAreRefused() {
    assertThatThrownBy(() -> new Edm(0, 0))
        .hasMessageContaining("P_s of edm")
        .hasMessageContaining("found 0.0");
    assertThatThrownBy(() -> new Edm(Double.NaN, 1)).hasMessageContaining("P_m of edm");
    assertThatThrownBy(() -> LinearPath.ldm(1, 0.1, 0.2)).hasMessageContaining("at least 2 steps");
    assertThatThrownBy(() -> LinearPath.ddpm(10, 0.3, 0.2))
        .hasMessageContaining("0 < start <= end < 1");
  }

  @Test
  void shiftMovesTheLogSnrOfRectifiedFlowByAConstant() {
    RectifiedFlow rf = new RectifiedFlow();
    ResolutionShift shift = new ResolutionShift(3);
    double[][] vectors = {{0.1, 0.25}, {0.25, 0.5}, {0.5, 0.75}, {0.75, 0.9}, {0.9, 27 / 28.0}};
    for (double[] vector : vectors) {
      double moved = shift.apply(vector[0]);
      assertThat(moved).isCloseTo(vector[1], within(1e-15));
      assertThat(rf.logSnr(moved) - rf.logSnr(vector[0]))
          .isCloseTo(shift.logSnrChange(), within(1e-14));
      assertThat(shift.inverse().apply(moved)).isCloseTo(vector[0], within(1e-15));
      double n = 256 * 256;
      double m = 1024 * 1024;
      ResolutionShift pixels = ResolutionShift.ofPixels(n, m);
      assertThat(pixels.alpha()).isEqualTo(4);
      assertThat(ResolutionShift.uncertainty(pixels.apply(vector[0]), m))
          .isCloseTo(ResolutionShift.uncertainty(vector[0], n), within(1e-15));
    }
    assertThat(shift.apply(0)).isEqualTo(0);
    assertThat(shift.inverse().apply(1)).isEqualTo(1);
    double h = 1e-6;
    assertThat(shift.derivative(0.3))
        .isCloseTo((shift.apply(0.3 + h) - shift.apply(0.3 - h)) / (2 * h), within(1e-8));
    assertThat(ResolutionShift.ofMu(Math.log(3)).alpha()).isCloseTo(3, within(1e-15));
    assertThatThrownBy(() -> new ResolutionShift(0)).hasMessageContaining("alpha must be positive");
  }
}
