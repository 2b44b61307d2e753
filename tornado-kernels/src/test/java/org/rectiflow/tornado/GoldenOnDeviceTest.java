package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.verify.Comparison;
import org.rectiflow.pipeline.verify.Verification;
import org.rectiflow.safetensors.TensorSource;

/** The whole pipeline on the device against tensors that diffusers computed. */
class GoldenOnDeviceTest {

  @ParameterizedTest
  @ValueSource(strings = {"tiny-sd3", "tiny-sd35m"})
  void everyTensorWithinTheCpusTolerance(String model) {
    double worst = 0;
    try (TornadoBackend device = Device.open();
        TensorSource golden =
            TensorSource.open(Path.of("../testdata/golden", model + ".safetensors"));
        Checkpoint checkpoint = DiffusersFolder.open(Path.of("../testdata/models", model))) {
      Verification result = Verification.of(golden, checkpoint, device, _ -> {});
      for (Comparison c : result.comparisons()) {
        if (c.rule() == Comparison.Rule.RELATIVE) {
          worst = Math.max(worst, c.relative());
        }
        assertThat(c.passes()).as("%s", c).isTrue();
      }
      assertThat(result.passes()).as("%s %s", result.leftOut(), result.unknown()).isTrue();
      System.out.printf(
          "%s: %d tensors, largest relative difference %.2e%n",
          model, result.comparisons().size(), worst);
    }
    assertThat(worst).isLessThan(1e-3);
  }
}
