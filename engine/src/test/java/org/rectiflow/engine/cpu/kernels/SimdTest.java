package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("simd")
class SimdTest {
  @Test
  void takesThePreferredWidthUnlessLimited() {
    assertThat(Simd.choose(null, 512)).isEqualTo(FloatVector.SPECIES_512);
    assertThat(Simd.choose(null, 1024)).isEqualTo(FloatVector.SPECIES_512);
    assertThat(Simd.choose("256", 512)).isEqualTo(FloatVector.SPECIES_256);
    assertThat(Simd.choose("128", 512)).isEqualTo(FloatVector.SPECIES_128);
    assertThat(Simd.choose("512", 128)).isEqualTo(FloatVector.SPECIES_128);
  }

  @Test
  void refusesOtherWidths() {
    assertThatThrownBy(() -> Simd.choose("100", 512))
        .hasMessageContaining("rectiflow.maxVectorBits")
        .hasMessageContaining("\"100\"");
  }

  @Test
  void obeysTheProperty() {
    String limit = System.getProperty(Simd.PROPERTY);
    if (limit != null) {
      assertThat(Simd.bits()).isLessThanOrEqualTo(Integer.parseInt(limit));
    }
    assertThat(Simd.LANES * 32).isEqualTo(Simd.bits());
  }
}
