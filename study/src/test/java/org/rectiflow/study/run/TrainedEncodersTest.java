package org.rectiflow.study.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.study.measure.CheckpointNetwork;
import org.rectiflow.study.measure.Measurer;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.trainer.transformer.TransformerKeys;

/** Runs that train text encoders with the transformer are measured with their own encoders. */
class TrainedEncodersTest {
  private static final Path BASE = Path.of("../testdata/models/tiny-sd3");

  private static final String STUDY =
      """
      title = "Frozen and trained text encoders"
      base = "base.toml"
      [run]
      batch = 2
      "model.base" = "%s"
      "model.depth" = 1
      "encoders.t5_tokens" = 4
      "optimizer.learning_rate" = 1e-2
      "optimizer.warmup" = 0
      "data.samples" = 4
      "data.size" = 32
      "ema.every" = 1
      "ema.decay" = 0.5
      "validation.samples" = 1
      "validation.attention_samples" = 0
      "samples.every" = 0
      [axes]
      "encoders.train" = [[], ["clip_l", "t5"]]
      [evaluation]
      samples = 6
      references = 8
      steps = [1]
      guidance = [2.0]
      batch = 6
      """
          .formatted(BASE);

  @TempDir Path temp;

  private StudyPlan plan() throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 2\n");
    Path file = Files.writeString(temp.resolve("study.toml"), STUDY);
    return StudyPlan.of(StudyFile.read(file), StudyPlan.WHOLE);
  }

  private static Backend backend() {
    return Backends.open("cpu", new BackendProvider.Options(2));
  }

  @Test
  void theKeyMakesAnotherRun() throws IOException {
    List<Cell> cells = plan().cells();
    assertThat(cells)
        .extracting(cell -> cell.labels().get("encoders.train"))
        .containsExactly("none", "clip_l+t5");
    assertThat(cells.get(0).id()).startsWith("none-");
    assertThat(cells.get(1).id()).startsWith("clip-l-t5-");
    assertThat(cells.get(0).id().substring(cells.get(0).id().length() - 10))
        .isNotEqualTo(cells.get(1).id().substring(cells.get(1).id().length() - 10));
  }

  @Test
  void trainingThemCostsMore() throws IOException {
    StudyPlan plan = plan();
    try (Backend backend = backend();
        Checkpoint base = DiffusersFolder.open(BASE)) {
      CostEstimate cost = CostEstimate.of(plan, plan.cells(), base, backend);
      // Frozen: 3 passes for each of 2 x 2 samples, against 2 for each of 6 pictures and 2 weights.
      assertThat(cost.trainingFlops() / cost.measuringFlops()).isGreaterThan(3.0 * 4 / 24 + 0.01);
    }
  }

  @Test
  void aRunIsMeasuredWithItsOwnEncoders() throws Exception {
    StudyPlan plan = plan();
    Cell cell = plan.cells().get(1);
    TrainedCells runner = new TrainedCells(TrainedEncodersTest::backend);
    Path folder = temp.resolve("run");
    RunResult result = runner.run(cell, folder, plan.evaluation(), 1, Progress.NONE, () -> false);
    assertThat(result.finished()).isTrue();

    Path checkpoint;
    try (Stream<Path> all = Files.list(folder.resolve("checkpoints"))) {
      checkpoint = all.filter(p -> p.endsWith("step-00000002")).findFirst().orElseThrow();
    }
    compareEncoders(checkpoint);
    // What the base has instead of the trained encoders does not matter.
    assertThat(measured(checkpoint, checkpoint, plan, cell)).isEqualTo(result.samples());
    assertThat(measured(checkpoint, BASE, plan, cell)).isEqualTo(result.samples());
    assertThat(result.samples()).extracting(Sampled::weights).containsExactly("ema", "raw");
  }

  private static List<Sampled> measured(Path checkpoint, Path base, StudyPlan plan, Cell cell)
      throws Exception {
    try (Backend backend = backend();
        Checkpoint model = DiffusersFolder.open(base);
        Measurer measurer = new Measurer(model, 4, 32, plan.evaluation(), backend)) {
      Formulation formulation = Formulation.parse(cell.settings().get(TransformerKeys.FORMULATION));
      return measurer.measure(checkpoint, formulation, Progress.NONE, () -> false);
    }
  }

  /** Trained encoders are those that the checkpoint publishes; the frozen one is the base's. */
  private static void compareEncoders(Path checkpoint) {
    try (CheckpointNetwork network = new CheckpointNetwork(checkpoint, 77);
        Checkpoint written = DiffusersFolder.open(checkpoint);
        Checkpoint base = DiffusersFolder.open(BASE)) {
      assertThat(network.hasEncoders()).isTrue();
      for (Part part : List.of(Part.CLIP_L, Part.CLIP_G, Part.T5)) {
        WeightSource average = network.encoder(part, "ema", base.require(part));
        WeightSource raw = network.encoder(part, "raw", base.require(part));
        int moved = 0;
        for (String name : base.require(part).names()) {
          float[] published = written.require(part).require(name).toFloats();
          assertThat(average.require(name).toFloats()).as(name).isEqualTo(published);
          moved += java.util.Arrays.equals(raw.require(name).toFloats(), published) ? 0 : 1;
        }
        assertThat(moved > 0).as(part.folder()).isEqualTo(part != Part.CLIP_G);
      }
    }
  }
}
