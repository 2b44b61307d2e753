package org.rectiflow.scheduler.path;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PredictionTest {

  private static final double X0 = 0.83;
  private static final double EPS = -1.41;

  @ParameterizedTest
  @MethodSource("org.rectiflow.scheduler.path.NoisePathTest#paths")
  void everyPredictionGivesBackDataNoiseAndTheOthers(NoisePath path) {
    double largest = 0;
    for (double t : new double[] {0.03, 0.35, 0.5, 0.92}) {
      double z = path.noised(X0, EPS, t);
      for (Prediction from : Prediction.values()) {
        double output = from.target(path, t, X0, EPS);
        Conversion conversion = from.at(path, t);
        largest = Math.max(largest, difference(conversion.data().apply(z, output), X0));
        largest = Math.max(largest, difference(conversion.noise().apply(z, output), EPS));
        largest =
            Math.max(
                largest,
                difference(conversion.velocity().apply(z, output), path.pairVelocity(X0, EPS, t)));
        for (Prediction to : Prediction.values()) {
          largest =
              Math.max(
                  largest,
                  difference(conversion.to(to).apply(z, output), to.target(path, t, X0, EPS)));
        }
      }
    }
    System.out.printf("%s: largest difference %.1e%n", path, largest);
    assertThat(largest).isLessThan(1e-11);
  }

  private static double difference(double actual, double expected) {
    return Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  }

  @Test
  void rectifiedFlowConversionsAreTheKnownOnes() {
    RectifiedFlow rf = new RectifiedFlow();
    double t = 0.3;
    double z = rf.noised(X0, EPS, t);
    double v = EPS - X0;
    assertThat(Prediction.VELOCITY.target(rf, t, X0, EPS)).isEqualTo(v);
    Conversion conversion = Prediction.VELOCITY.at(rf, t);
    assertThat(conversion.data().apply(z, v)).isCloseTo(z - t * v, within(1e-15));
    assertThat(conversion.noise().apply(z, v)).isCloseTo(z + (1 - t) * v, within(1e-15));
  }

  @Test
  void edmPreconditioning() {
    Edm edm = new Edm(-1.2, 1.2);
    double t = 0.7;
    double sigma = edm.b(t);
    double total = sigma * sigma + 0.25;
    double z = edm.noised(X0, EPS, t);
    double f = Prediction.F.target(edm, t, X0, EPS);
    assertThat(0.25 / total * z + sigma * 0.5 / Math.sqrt(total) * f).isCloseTo(X0, within(1e-14));
    assertThat(Prediction.F.inputScale(edm, t)).isCloseTo(1 / Math.sqrt(total), within(1e-15));
    assertThat(Prediction.V.inputScale(edm, t)).isEqualTo(1);
  }

  @Test
  void predictionsThatDetermineNothingAreRefused() {
    assertThatThrownBy(() -> Prediction.EPSILON.at(new Cosine(), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("epsilon determines nothing at t = 1.0 of cos");
    assertThat(Prediction.V.at(new Cosine(), 1).data().apply(2, -3)).isEqualTo(3);
  }
}
