package org.rectiflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ActivationTest {

  /** Values of erfc from Abramowitz and Stegun, table 7.1, and of its asymptotic form. */
  @Test
  void erfc() {
    assertThat(Erf.erfc(0)).isEqualTo(1);
    assertThat(Erf.erfc(0.5)).isEqualTo(0.4795001221869535, within(1e-15));
    assertThat(Erf.erfc(1)).isEqualTo(0.15729920705028513, within(1e-15));
    assertThat(Erf.erfc(2)).isEqualTo(0.004677734981047266, within(1e-15));
    assertThat(Erf.erfc(4) / 1.541725790028002e-8).isEqualTo(1, within(1e-13));
    assertThat(Erf.erfc(-1)).isEqualTo(2 - 0.15729920705028513, within(1e-15));
  }

  @Test
  void bothBranchesOfErfcMeet() {
    double below = Erf.erfc(Math.nextDown(2.5));
    assertThat(below / Erf.erfc(2.5)).isEqualTo(1, within(1e-11));
  }

  @Test
  void definitions() {
    assertThat(Activation.SILU.apply(1)).isEqualTo(0.7310585786300049, within(1e-15));
    assertThat(Activation.QUICK_GELU.apply(1)).isEqualTo(0.8457957659328212, within(1e-14));
    assertThat(Activation.GELU_ERF.apply(1)).isEqualTo(0.8413447460685429, within(1e-15));
    assertThat(Activation.GELU_TANH.apply(1)).isEqualTo(0.8411919906082768, within(1e-15));
  }
}
