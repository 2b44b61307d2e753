package org.rectiflow.benchmarks.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;

/** A tiny model: what is reported belongs together. */
class ModelBenchTest {
  private static final Path MODEL = Path.of("../testdata/models/tiny-sd3");

  @Test
  void measuresStepsAndCountsTheirWork() {
    try (Checkpoint checkpoint = Checkpoint.open(MODEL);
        CpuBackend backend = new CpuBackend(1);
        Workers workers = new Workers(1)) {
      ModelBench bench = new ModelBench(mmdit(checkpoint), backend, workers);
      List<String> events = new ArrayList<>();
      var setting = new ModelBench.Setting(64, 32, 20, true, 2);
      ModelBench.Result r = bench.run(setting, () -> events.add("first step"));
      assertThat(events).containsExactly("first step");
      assertThat(r.setting()).isEqualTo(setting);
      assertThat(r.stepSeconds().median()).isPositive();
      assertThat(r.flops()).isPositive();
      assertThat(r.rows().stream().mapToDouble(Roofline.Row::share).sum())
          .isCloseTo(1, within(1e-9));
      double fromRows = r.rows().stream().mapToDouble(w -> w.gflops() * 1e9 * w.seconds()).sum();
      assertThat(fromRows).isCloseTo(2 * r.flops(), within(1e-6 * fromRows));
      assertThat(r.rows().stream().mapToDouble(Roofline.Row::seconds).sum())
          .isLessThan(2 * r.stepSeconds().upper() * 1.5);
    }
  }

  @Test
  void runsAStepForEachLine() throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(MODEL);
        CpuBackend backend = new CpuBackend(1);
        Workers workers = new Workers(1)) {
      List<String> said = new ArrayList<>();
      new ModelBench(mmdit(checkpoint), backend, workers)
          .onRequest(
              new ModelBench.Setting(32, 32, 20, false, 1),
              new BufferedReader(new StringReader("step\nstep\n")),
              said::add);
      assertThat(said).hasSize(3).startsWith("ready");
      assertThat(Double.parseDouble(said.getLast())).isPositive();
    }
  }

  private static Mmdit mmdit(Checkpoint checkpoint) {
    WeightSource weights = checkpoint.require(Part.TRANSFORMER);
    return new Mmdit(MmditConfig.of(weights), weights);
  }
}
