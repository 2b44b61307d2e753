package org.rectiflow.trainer.transformer;

import java.util.List;
import java.util.Map;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.training.PromptTower.Encoder;

/** The keys of run files that train a transformer. */
public final class TransformerKeys {
  private static final double PAPER_DROPOUT = 0.464;

  public static final Key<String> FORMULATION =
      Key.of(
          "formulation",
          Kind.text("the name of a formulation", Formulation::parse),
          "rf/lognorm(0.00, 1.00)",
          "Path, prediction, density of timesteps and weight, by the names of the paper's Tables 1 and 2: rf, rf/mode(s), rf/lognorm(m,s), rf/cosmap, edm(P_m,P_s), edm/rf, edm/cos, eps/linear, v/linear, eps/cos, v/cos; and what else `+shift(alpha)` and `+weight(name)` make of them.");

  public static final Key<String> BASE =
      Key.of(
          "model.base",
          Kind.text(),
          "",
          "Folder in diffusers' layout whose autoencoder, text encoders and tokenizers are used, frozen unless encoders.train says otherwise. Empty: the bundled shapes model.");

  public static final Key<String> FROM =
      Key.of(
          "model.from",
          Kind.text(),
          "",
          "A model whose transformer the run begins with; its sizes are then the model's. Empty: from nothing.");

  public static final Key<String> BACKBONE =
      Key.of("model.backbone", Kind.text(), "mmdit", "The kind of network.");

  public static final Key<Long> DEPTH = Key.of("model.depth", Kind.whole(1, 1000), 6L, "Blocks.");

  public static final Key<Long> WIDTH =
      Key.of(
          "model.width",
          Kind.multiple(MmditConfig.HEAD_SIZE, 1 << 16),
          0L,
          "Channels; heads have 64. 0: 64 times the depth, as in the paper (Section 5.3).");

  public static final Key<Long> PATCH =
      Key.of("model.patch_size", Kind.whole(1, 64), 2L, "Latent pixels a side of a token.");

  public static final Key<Boolean> QK_NORM =
      Key.of("model.qk_norm", Kind.bool(), true, "RMS norm of queries and keys (Section 5.3.2).");

  public static final Key<Long> DUAL =
      Key.of(
          "model.dual_attention_blocks",
          Kind.whole(0, 1000),
          0L,
          "How many of the first blocks have a second attention over the image alone (MMDiT-X; SD3.5-medium has 13).");

  public static final Key<Long> POSITIONS =
      Key.of(
          "model.positions",
          Kind.whole(0, 10_000),
          0L,
          "Side of the table of positions in tokens, which bounds the size of pictures. 0: three times that of the training pictures, as in SD3.");

  public static final Key<String> INIT =
      Key.of(
          "model.init",
          Kind.oneOf(List.of("dit", "torch")),
          "dit",
          "Initial values: dit (adaLN-Zero of Peebles and Xie 2023: modulations and last layer at 0) or torch (its defaults for every layer). The paper states none.");

  /** What stands for each encoder in {@link #TRAIN_ENCODERS}. */
  private static final Map<String, Encoder> ENCODERS =
      Map.of("clip_l", Encoder.CLIP_L, "clip_g", Encoder.CLIP_G, "t5", Encoder.T5);

  public static final Key<List<String>> TRAIN_ENCODERS =
      Key.of(
          "encoders.train",
          new Kind<>(
              "a list of clip_l, clip_g and t5, or true for all or false for none",
              TransformerKeys::encoders),
          List.of(),
          "The text encoders that are trained with the transformer, beginning with those of model.base; the others stay frozen, as all do in the paper. Checkpoints hold the trained ones.");

  public static final Key<Long> T5_TOKENS =
      Key.of(
          "encoders.t5_tokens",
          Kind.whole(1, 4096),
          77L,
          "Length of T5's part of the context, if its tokenizer allows as many. The paper: 77.");

  public static final Key<Double> DROP_CLIP_L =
      Key.of(
          "dropout.clip_l",
          Kind.number(0, 1),
          PAPER_DROPOUT,
          "Probability that CLIP-L's part of a sample's embedding is zeros, independently of the other encoders. The paper: 46.4 % each (Appendix B.3), so that one in ten has no text at all.");

  public static final Key<Double> DROP_CLIP_G =
      Key.of("dropout.clip_g", Kind.number(0, 1), PAPER_DROPOUT, "The same for CLIP-G.");

  public static final Key<Double> DROP_T5 =
      Key.of("dropout.t5", Kind.number(0, 1), PAPER_DROPOUT, "The same for T5.");

  public static final Key<Double> DROP_ALL =
      Key.of(
          "dropout.all",
          Kind.number(0, 1),
          0.0,
          "Probability that a sample loses all its text, drawn independently of the three others; with it they can be small or 0 and guidance still has what it leads away from. A sample that has lost all text, in whichever way, is given what samples.unconditional says.");

  public static final Key<Long> VALIDATION_SAMPLES =
      Key.of(
          "validation.samples",
          Kind.whole(1, 1 << 20),
          64L,
          "Held-out examples, each at eight timesteps, always with the same noise.");

  public static final Key<Long> ATTENTION_SAMPLES =
      Key.of(
          "validation.attention_samples",
          Kind.whole(0, 256),
          2L,
          "Examples on which each validation measures the largest logit and the entropy of every attention (Figure 5). 0: none.");

  public static final Key<List<String>> PROMPTS =
      Key.of(
          "samples.prompts",
          Kind.listOf(Kind.text()),
          List.of(
              "a red circle",
              "four blue circles",
              "a green square and a yellow star",
              "a purple triangle left of a red square"),
          "What the sample pictures show.");

  public static final Key<Long> SAMPLE_STEPS =
      Key.of("samples.steps", Kind.whole(1, 10_000), 28L, "Euler steps of a sample picture.");

  public static final Key<Double> SAMPLE_GUIDANCE =
      Key.of(
          "samples.guidance",
          Kind.number(0, 1000),
          4.0,
          "Their classifier-free guidance. 1: none.");

  public static final Key<String> SAMPLE_UNCONDITIONAL =
      Key.of(
          "samples.unconditional",
          Kind.oneOf(List.of("zeros", "empty")),
          "zeros",
          "What guidance leads away from, and what training samples without any text are given: zeros, or the encodings of the empty text as diffusers has it. Checkpoints tell `generate`.");

  public static final Key<Double> SAMPLE_SHIFT =
      Key.of(
          "samples.shift",
          Kind.number(1e-3, 1000),
          1.0,
          "Shift of their timesteps (equation 23), also written into the checkpoints' scheduler.");

  public static final Key<Long> SAMPLE_SEED =
      Key.of("samples.seed", Kind.whole(0), 0L, "Seed of the first; the others follow.");

  /** All of them. */
  static final List<Key<?>> ALL =
      List.of(
          FORMULATION,
          BASE,
          FROM,
          BACKBONE,
          DEPTH,
          WIDTH,
          PATCH,
          QK_NORM,
          DUAL,
          POSITIONS,
          INIT,
          TRAIN_ENCODERS,
          T5_TOKENS,
          DROP_CLIP_L,
          DROP_CLIP_G,
          DROP_T5,
          DROP_ALL,
          VALIDATION_SAMPLES,
          ATTENTION_SAMPLES,
          PROMPTS,
          SAMPLE_STEPS,
          SAMPLE_GUIDANCE,
          SAMPLE_UNCONDITIONAL,
          SAMPLE_SHIFT,
          SAMPLE_SEED);

  private TransformerKeys() {}

  /** In the order of a prompt's parts, each once. */
  private static List<String> encoders(Object value) {
    List<String> all = List.of("clip_l", "clip_g", "t5");
    if (value instanceof Boolean every) {
      return every ? all : List.of();
    }
    List<String> named = Kind.listOf(Kind.oneOf(all)).reader().apply(value);
    return all.stream().filter(named::contains).toList();
  }

  /** The encoders that are trained. */
  public static List<Encoder> trained(Settings settings) {
    return settings.get(TRAIN_ENCODERS).stream().map(ENCODERS::get).toList();
  }
}
