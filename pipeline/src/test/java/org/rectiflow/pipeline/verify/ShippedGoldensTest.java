package org.rectiflow.pipeline.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.pipeline.ModelFolders.GOLDEN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.verify.Comparison.Rule;

/** Golden numbers without a model of their own in diffusers' layout. */
class ShippedGoldensTest {
  @TempDir private Path folder;

  private static void passes(List<Comparison> comparisons, int count) {
    assertThat(comparisons).hasSize(count).allMatch(Comparison::passes);
    ComparisonGroup.of(comparisons)
        .forEach(g ->
            System.out.printf(
                "%s: %d, largest %.1e absolute, %.1e relative%n",
                g.kind(), g.tensors(), g.absolute(), g.relative()));
  }

  @Test
  void schedulesRandomNumbersAndTrainingAgree() throws IOException {
    passes(SamplingGoldens.schedules(GOLDEN.resolve("schedulers.json")), 2 * 21 + 153);
    passes(SamplingGoldens.random(GOLDEN.resolve("torch_randn.json")), 3 * 7);
    passes(SamplingGoldens.training(GOLDEN.resolve("training_utils.json")), 5 + 3 * 5);
  }

  @Test
  void theClipPairAgrees() {
    passes(ClipPairGoldens.of(GOLDEN.resolve("tiny-clip.safetensors"), new CpuBackend(2)), 84);
  }

  @Test
  void aWrongNumberIsFound() throws IOException {
    String text = Files.readString(GOLDEN.resolve("schedulers.json"));
    Path wrong = folder.resolve("schedulers.json");
    Files.writeString(wrong, text.replaceFirst("0\\.85769230", "0.85769430"));
    assertThat(SamplingGoldens.schedules(wrong))
        .filteredOn(c -> !c.passes())
        .extracting(Comparison::name)
        .containsExactly("euler[1].sigmas");
  }

  @ParameterizedTest
  @CsvSource({
    "p0.t874.6.block3.image, block.image",
    "p1.t1000.velocity, velocity",
    "p0.prompt.ids.clip_l, ids.clip_l",
    "p0.negative.t5.last, t5.last",
    "p0.prompt_embeds, prompt_embeds",
    "no_t5.prompt_embeds, prompt_embeds",
    "p0.noise, noise",
    "p0.image, image",
    "vae.64x96.mean, vae.mean",
    "vae.grad.decoder.conv_in.bias, vae.grad",
    "grad.pos_embed.proj.weight, grad",
    "adamw.after.proj_out.bias, adamw.after",
    "adamw.losses, adamw.losses",
    "vae.in.pixels, vae.in.pixels",
    "in.x0, in.x0",
    "loss, loss",
    "hidden.1, hidden.1",
    "euler[3].sigmas, sigmas"
  })
  void kindsAreWhatIsLeftOfANameWithoutItsPlace(String name, String kind) {
    assertThat(ComparisonGroup.kind(name)).isEqualTo(kind);
  }

  @Test
  void aGroupHasTheWorstOfItsMembers() {
    List<Comparison> three =
        List.of(
            new Comparison("p0.pooled", 1e-6, 1e-5, 1e-4, Rule.RELATIVE),
            new Comparison("p1.pooled", 2e-6, 2e-4, 1e-4, Rule.RELATIVE),
            new Comparison("p0.noise", 0, 0, 0, Rule.EQUAL));
    assertThat(ComparisonGroup.of(three))
        .containsExactly(
            new ComparisonGroup("pooled", 2, 2e-6, 2e-4, 1e-4, Rule.RELATIVE, 1),
            new ComparisonGroup("noise", 1, 0, 0, 0, Rule.EQUAL, 0));
  }
}
