package org.rectiflow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.memory.MemoryNeed;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.StepOptions;
import org.rectiflow.scheduler.formulation.Formulation;

/** The plan against what is then really taken. */
class MemoryPreflightTest {

  /** Adds up what is compiled, by name. */
  private record Counting(Backend backend, Map<String, Long> bytes) implements Backend {
    @Override
    public String name() {
      return backend.name();
    }

    @Override
    public String describe() {
      return backend.describe();
    }

    @Override
    public Executable compile(String name, Graph graph) {
      Executable executable = backend.compile(name, graph);
      bytes.merge(name, executable.arenaBytes(), Long::sum);
      return executable;
    }

    @Override
    public long arenaBytes(Graph graph) {
      return backend.arenaBytes(graph);
    }

    @Override
    public Profile profile() {
      return backend.profile();
    }

    @Override
    public void close() {
      backend.close();
    }
  }

  private static Recipe recipe(Checkpoint checkpoint, Set<Part> dropped, Optional<Integer> tile) {
    return new Recipe(
        Prompts.all("two stars"),
        Prompts.all(""),
        192,
        128,
        5,
        0,
        Preset.DIFFUSERS,
        false,
        256,
        dropped,
        Formulation.parse("rf"),
        SamplerChoice.EULER,
        checkpoint.schedulerConfig(),
        ScheduleRequest.ofSteps(2),
        StepOptions.defaults(),
        tile);
  }

  @Test
  void plansWhatIsTaken() {
    for (Backend inner : List.of(new CpuBackend(1), new ReferenceBackend())) {
      Map<String, Long> taken = new java.util.HashMap<>();
      try (Checkpoint checkpoint = Checkpoint.open(TINY_SD3);
          Backend backend = new Counting(inner, taken)) {
        TextToImage pipeline = new TextToImage(checkpoint, backend);
        Recipe recipe = recipe(checkpoint, Set.of(), Optional.empty());
        MemoryNeed need = pipeline.memory().need(recipe);
        assertThat(taken).isEmpty();
        if (inner instanceof CpuBackend) { // the reference backend would take minutes
          try (PromptEncoder encoders = pipeline.encoders(256, Set.of())) {
            var prompts = pipeline.encode(encoders, List.of(recipe.prompts(), recipe.negative()));
            try (Denoiser denoiser =
                pipeline.denoiser(
                    prompts.get(0).embedding(), prompts.get(1).embedding(), 5, 192, 128)) {
              denoiser.expect(new float[] {1000, 750});
              denoiser.velocity(Tensor.zeros(Shape.of(1, 16, 16, 24)), 1000);
            }
          }
          pipeline.decode(Tensor.zeros(Shape.of(1, 16, 16, 24)), recipe.tile());
          System.out.printf("planned %s, taken %s%n", need, taken);
          assertNear(need.encoding(), taken.get("CLIP-L") + taken.get("CLIP-G") + taken.get("T5"));
          assertNear(need.denoising(), taken.get("mmdit") + taken.get("mmdit-conditioning"));
          assertNear(need.decoding(), taken.get("vae"));
        }
        assertThat(need.weights()).containsOnlyKeys(Part.values());
        assertThat(need.tiled().orElseThrow()).isEqualTo(need.decoding()); // smaller than a tile
        MemoryNeed less =
            pipeline.memory().need(recipe(checkpoint, Set.of(Part.T5), Optional.of(8)));
        assertThat(less.weights()).doesNotContainKey(Part.T5);
        assertThat(less.encoding()).isLessThan(need.encoding());
        assertThat(less.decoding()).isLessThan(need.decoding() / 2);
        assertThat(less.tiled()).isEmpty();
      }
    }
  }

  /** Small vectors widened for the kernels come on top of the plan. */
  private static void assertNear(long planned, long taken) {
    assertThat(planned).isBetween((long) (0.9 * taken), taken);
  }
}
