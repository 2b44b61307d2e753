package org.rectiflow.scheduler.formulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;

class FormulationTest {

  /** Every name printed in Tables 1 and 2, and the one that is trained but not printed there. */
  private static final List<String> PRINTED =
      List.of(
          "rf/lognorm(0.00, 1.00)",
          "rf/lognorm(1.00, 0.60)",
          "rf/lognorm(0.50, 0.60)",
          "rf/mode(1.29)",
          "rf/lognorm(0.50, 1.00)",
          "eps/linear",
          "rf/mode(1.75)",
          "rf/cosmap",
          "edm(0.00, 0.60)",
          "rf",
          "v/linear",
          "edm(0.60, 1.20)",
          "v/cos",
          "edm/cos",
          "edm/rf",
          "edm(-1.20, 1.20)",
          "rf/lognorm(-0.50, 1.00)",
          "eps/cos");

  @Test
  void theStudyHas61FormulationsWhoseNamesReadBack() {
    List<Formulation> study = Formulation.study();
    assertThat(study).hasSize(61).doesNotHaveDuplicates();
    for (Formulation formulation : study) {
      assertThat(Formulation.parse(formulation.name())).isEqualTo(formulation);
      assertThat(Formulation.parse(formulation.name()).name()).isEqualTo(formulation.name());
    }
    Map<String, Long> groups =
        study.stream()
            .map(formulation -> formulation.name().replaceAll("\\(.*", ""))
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    assertThat(groups)
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("rf", 1L),
                Map.entry("rf/mode", 8L),
                Map.entry("rf/lognorm", 30L),
                Map.entry("rf/cosmap", 1L),
                Map.entry("edm", 15L),
                Map.entry("edm/rf", 1L),
                Map.entry("edm/cos", 1L),
                Map.entry("eps/linear", 1L),
                Map.entry("v/linear", 1L),
                Map.entry("eps/cos", 1L),
                Map.entry("v/cos", 1L)));
  }

  @Test
  void theStudyHoldsEveryPrintedName() {
    for (String name : PRINTED) {
      Formulation formulation = Formulation.parse(name);
      assertThat(Formulation.study()).contains(formulation);
      assertThat(formulation.name()).isEqualTo(name.replace(" ", ""));
      assertThat(formulation).hasToString(name.replace(" ", ""));
    }
  }

  @Test
  void freeCombinationsReadBack() {
    for (String name :
        List.of(
            "eps/rf",
            "v/rf/cosmap",
            "velocity/cos",
            "velocity/linear/lognorm(0.123,1.00)",
            "v/ddpm-linear",
            "F/cos",
            "eps/edm(0.00,1.00)",
            "v/edm/rf/mode(0.50)",
            "rf/edm-lognorm(-1.20,1.20)",
            "rf+shift(3.00)",
            "rf/lognorm(0.00,1.00)+shift(3.00)+weight(cosmap)",
            "rf+weight(sigma_sqrt)")) {
      assertThat(Formulation.parse(name).name()).isEqualTo(name);
      assertThat(Formulation.parse(Formulation.parse(name).name()))
          .isEqualTo(Formulation.parse(name));
    }
    assertThat(Formulation.parse("rf/uniform").name()).isEqualTo("rf");
  }

  @Test
  void namesThatAreNoneAreRefused() {
    assertUnknown("ddim", "'ddim' is no path");
    assertUnknown("", "cannot read ''");
    assertUnknown("rf/", "cannot read ''");
    assertUnknown("rf/beta(1,2)", "'beta' is no density");
    assertUnknown("rf/lognorm(1)", "'lognorm' takes 2 number(s), found 1");
    assertUnknown("rf/lognorm(a,b)", "takes numbers, found [a, b]");
    assertUnknown("rf/cosmap/cosmap", "one part too many");
    assertUnknown("rf(1)", "'rf' takes 0 number(s)");
    assertUnknown("edm", "edm is followed by");
    assertUnknown("linear", "needs a prediction, as in eps/linear");
    assertUnknown("eps", "a path is missing");
    assertUnknown("rf+blur(2)", "neither +shift(alpha) nor +weight(name)");
    assertThatThrownBy(() -> Formulation.parse("rf/mode(2)")).hasMessageContaining("not monotone");
    assertThatThrownBy(() -> Formulation.parse("rf/lognorm(0,-1)"))
        .hasMessageContaining("standard deviation");
    assertThatThrownBy(() -> Formulation.parse("rf+weight(cubic)"))
        .hasMessageContaining("Unknown loss weight 'cubic'");
  }

  private static void assertUnknown(String name, String reason) {
    assertThatThrownBy(() -> Formulation.parse(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Unknown formulation '" + name + "'")
        .hasMessageContaining(reason)
        .hasMessageContaining("rf/lognorm(m,s)");
  }

  @Test
  void printedWeightsAreTheEquivalentOnesUpToTheirFactor() {
    int checked = 0;
    for (Formulation formulation : Formulation.study()) {
      for (double t : new double[] {0.03, 0.25, 0.5, 0.81, 0.97}) {
        if (formulation.printedWeight(t).isPresent()) {
          double factor = formulation.printedWeightFactor().orElseThrow();
          double equivalent = factor * formulation.equivalentWeight(t);
          double printed = formulation.printedWeight(t).orElseThrow();
          assertThat(printed)
              .as(formulation.name())
              .isCloseTo(equivalent, within(1e-12 * equivalent));
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(5 * (40 + 15 + 2));
    assertThat(Formulation.parse("eps/linear").printedWeight(0.5)).isEmpty();
    assertThat(Formulation.parse("edm/rf").printedWeight(0.5)).isEmpty();
    assertThat(Formulation.parse("rf+weight(cosmap)").printedWeight(0.5)).isEmpty();
  }

  @Test
  void weightVectors() {
    assertThat(Formulation.parse("rf").equivalentWeight(0.75)).isCloseTo(3, within(1e-14));
    assertThat(Formulation.parse("rf/lognorm(0,1)").equivalentWeight(0.75))
        .isCloseTo(3 * 1.163652, within(3 * 5e-7));
    double[][] edm = {{0.1, 0.01858726}, {0.5, 0.05663617}, {0.9, 0.16200361}};
    for (double[] row : edm) {
      assertThat(Formulation.parse("edm(-1.2,1.2)").printedWeight(row[0]).orElseThrow())
          .isCloseTo(row[1], within(5e-9));
    }
    assertThat(Formulation.parse("edm(0,0.6)").printedWeight(0.9).orElseThrow())
        .isCloseTo(0.71729495, within(5e-9));
    assertThat(Formulation.parse("edm(0.6,1.2)").printedWeight(0.9).orElseThrow())
        .isCloseTo(5.27827188, within(5e-9));
    double t = 0.3;
    assertThat(Formulation.parse("eps/cos").equivalentWeight(t))
        .isCloseTo(Math.sin(Math.PI * t) / Math.PI, within(1e-15));
    double lambda = Formulation.parse("v/cos").path().logSnr(t);
    assertThat(Formulation.parse("v/cos").equivalentWeight(t))
        .isCloseTo(2 / Math.PI * Math.exp(-lambda / 2), within(1e-15));
    // Conditional flow matching on the cosine path weighs like v prediction.
    assertThat(Formulation.parse("velocity/cos").equivalentWeight(t))
        .isCloseTo(Math.PI / 2 * Math.tan(Math.PI * t / 2), within(1e-14));
  }

  @Test
  void lossesAgreeWithTheWeightsSampleBySample() {
    // The squared error of any output is the one of epsilon times the factor within the weight.
    for (Formulation formulation : Formulation.study()) {
      double t = 0.37;
      double z = 0.4;
      double output = -0.8;
      double eps = 0.9;
      double x0 = (z - formulation.path().b(t) * eps) / formulation.path().a(t);
      double error = output - formulation.target(t, x0, eps);
      double predictedEps =
          formulation.prediction().at(formulation.path(), t).noise().apply(z, output);
      double common =
          -0.5
              * formulation.equivalentWeight(t)
              * formulation.path().logSnrDot(t)
              * (predictedEps - eps)
              * (predictedEps - eps);
      double loss = formulation.density().pdf(t) * error * error;
      assertThat(common).as(formulation.name()).isCloseTo(loss, within(1e-10 * loss));
    }
  }

  @Test
  void shiftAndWeightCompose() {
    Formulation plain = Formulation.parse("rf/lognorm(0,1)");
    Formulation both = plain.shifted(3).weighted(OutputWeight.SIGMA_SQRT);
    double t = 0.4;
    double expected = t / (1 - t) * new LogitNormal(Math.log(3), 1).pdf(t) / (t * t);
    assertThat(both.equivalentWeight(t)).isCloseTo(expected, within(1e-12 * expected));
    assertThat(both.path()).isEqualTo(new RectifiedFlow());
    assertThat(both.prediction()).isEqualTo(Prediction.VELOCITY);
    assertThatThrownBy(() -> OutputWeight.ONE.at(1.5)).hasMessageContaining("[0, 1]");
    assertThat(OutputWeight.COSMAP.at(0.5)).isCloseTo(4 / Math.PI, within(1e-15));
  }
}
