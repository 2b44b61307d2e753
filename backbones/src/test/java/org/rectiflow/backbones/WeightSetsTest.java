package org.rectiflow.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

class WeightSetsTest {

  @Test
  void twoSetsAreMmdit() {
    for (boolean qkNorm : new boolean[] {false, true}) {
      MmditConfig config = Sizes.tiny(qkNorm);
      InventedWeights weights = new InventedWeights();
      Tensor mmdit = run(new Mmdit(config, weights));
      Tensor sets = run(new WeightSets(config, 2, Sizes.CLIP_TOKENS, weights));
      assertThat(sets.data()).isEqualTo(mmdit.data());
    }
  }

  /** DiT is an MMDiT whose text has the weights of the image. */
  @Test
  void oneSetIsMmditWithEqualSets() {
    MmditConfig config = Sizes.tiny(true);
    InventedWeights weights = new InventedWeights();
    Tensor dit = run(new WeightSets(config, 1, Sizes.CLIP_TOKENS, weights));
    Tensor mmdit = run(new Mmdit(config, new Tied(weights, config)));
    close("DiT, MMDiT with equal sets", dit, mmdit);
  }

  /** Three sets are two where CLIP and T5 tokens have the same weights. */
  @Test
  void threeSetsAreMmditWithEqualTextSets() {
    MmditConfig config = Sizes.tiny(true);
    InventedWeights weights = new InventedWeights();
    Tensor two = run(new Mmdit(config, weights));
    WeightSource tied =
        new Renamed(weights) {
          @Override
          public Weight require(String name, int... dims) {
            String two =
                name.startsWith("transformer_blocks") ? name.replaceFirst("_2(?=\\.)", "") : name;
            return weights.require(two, dims);
          }
        };
    Tensor three = run(new WeightSets(config, 3, Sizes.CLIP_TOKENS, tied));
    close("3 sets, MMDiT", three, two);
  }

  private static void close(String what, Tensor a, Tensor b) {
    float largest = 0;
    float size = 0;
    for (int i = 0; i < a.data().length; i++) {
      largest = Math.max(largest, Math.abs(a.data()[i] - b.data()[i]));
      size = Math.max(size, Math.abs(a.data()[i]));
    }
    System.out.printf("%s: largest difference %.1e of values up to %.1f%n", what, largest, size);
    assertThat(largest).isLessThan(2e-5f * size);
    assertThat(size).isGreaterThan(0.1f);
  }

  private static Tensor run(VelocityModel model) {
    return Sizes.run(
            model.graph(Sizes.BATCH, Sizes.HEIGHT, Sizes.WIDTH, Sizes.CONTEXT, false),
            Sizes.inputs())
        .get("velocity");
  }

  /** Tensors of another source under other names. */
  private abstract static class Renamed implements WeightSource {
    private final InventedWeights source;

    Renamed(InventedWeights source) {
      this.source = source;
    }

    @Override
    public Optional<Weight> find(String name) {
      return source.find(name);
    }

    @Override
    public Set<String> names() {
      return Set.of();
    }

    @Override
    public String origin() {
      return source.origin();
    }
  }

  /** Gives the text stream the image stream's tensors. */
  private static final class Tied extends Renamed {
    private final InventedWeights image;
    private final int width;
    private final String lastModulation;

    Tied(InventedWeights image, MmditConfig config) {
      super(image);
      this.image = image;
      this.width = config.width();
      this.lastModulation = "transformer_blocks." + (config.depth() - 1) + ".norm1_context.linear";
    }

    @Override
    public Weight require(String name, int... dims) {
      String source =
          name.replace("norm1_context", "norm1")
              .replace("add_q_proj", "to_q")
              .replace("add_k_proj", "to_k")
              .replace("add_v_proj", "to_v")
              .replace("norm_added_", "norm_")
              .replace("to_add_out", "to_out.0")
              .replace("ff_context", "ff");
      if (!name.startsWith(lastModulation)) {
        return image.require(source, dims);
      }
      // The pre-only pair is stored as (scale, shift); the image's six begin with (shift, scale).
      int row = dims.length == 1 ? 1 : dims[1];
      int half = width * row;
      float[] six = image.find(source).orElseThrow().toFloats();
      float[] pair = new float[2 * half];
      System.arraycopy(six, half, pair, 0, half);
      System.arraycopy(six, 0, pair, half, half);
      return Weight.of(name, new Tensor(Shape.of(dims), pair));
    }
  }
}
