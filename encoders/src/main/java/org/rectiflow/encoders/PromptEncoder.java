package org.rectiflow.encoders;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.rectiflow.encoders.PromptEmbedding.Layout;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;

/**
 * Prompts to what the transformer receives. Any encoder may be left out; its place is then filled
 * with zeros.
 *
 * <p>Prompts given together go through an encoder together, equal ones once: a big encoder's
 * weights are read from the disk a single time. Used by one thread at a time. Closing it closes the
 * tokenizers and frees the encoders' memory; neither is of use once the prompts are encoded.
 */
public final class PromptEncoder implements AutoCloseable {
  /** Length of every released CLIP. */
  private static final int CLIP_TOKENS = 77;

  private final Layout layout;
  private final Optional<Part> clipL;
  private final Optional<Part> clipG;
  private final Optional<Part> t5;

  /** A CLIP and its tokenizer. */
  public record Clip(PromptTokenizer tokenizer, ClipTextModel model) {}

  /** T5 and its tokenizer. */
  public record T5(PromptTokenizer tokenizer, T5Encoder model) {}

  /** An encoder made ready for prompts of one length. */
  private record Part(PromptTokenizer tokenizer, int tokens, EncoderRunner runner) {
    TokenizedPrompt tokenize(String prompt) {
      return tokenizer.encode(prompt, tokens);
    }
  }

  /**
   * Puts encoders together. Takes over the tokenizers; {@code backend} and the models' weights have
   * to stay open as long as this does.
   *
   * @param layout what the transformer expects
   * @throws CheckpointException if an encoder or its tokenizer is made for fewer tokens than {@code
   *     layout} says, or the encoders' widths do not fit it
   */
  public PromptEncoder(
      Backend backend, Layout layout, Optional<Clip> clipL, Optional<Clip> clipG, Optional<T5> t5) {
    this.layout = layout;
    this.clipL = clipL.map(clip -> part(backend, "CLIP-L", clip));
    this.clipG = clipG.map(clip -> part(backend, "CLIP-G", clip));
    this.t5 = t5.map(t -> part(backend, t));
    // What does not fit is found now, not after minutes in the encoders.
    var last = t5.map(t -> Shape.of(1, layout.t5Tokens(), t.model().config().width()));
    PromptEmbedding.assemble(
        layout, clipL.map(this::zeros), clipG.map(this::zeros), last.map(Tensor::zeros));
  }

  private ClipOutput zeros(Clip clip) {
    ClipConfig config = clip.model().config();
    return new ClipOutput(
        Tensor.zeros(Shape.of(1, layout.clipTokens(), config.width())),
        Tensor.zeros(Shape.of(1, config.pooledWidth())));
  }

  /**
   * The layout of a model's prompt embeddings.
   *
   * @param contextWidth {@code joint_attention_dim} of the transformer
   * @param pooledWidth {@code pooled_projection_dim} of the transformer
   * @param clips the CLIPs that are there; without one the CLIP part has 77 tokens
   * @param t5Tokens the length wanted for T5: 256 as diffusers has it, 77 as the paper
   * @param t5Limit the limit of T5's tokenizer, {@link PromptTokenizer#maxLength}
   * @throws CheckpointException if the CLIPs have different lengths
   */
  public static Layout layout(
      int contextWidth, int pooledWidth, List<Clip> clips, int t5Tokens, OptionalInt t5Limit) {
    List<Integer> lengths = clips.stream().map(PromptEncoder::length).distinct().toList();
    if (lengths.size() > 1) {
      throw new CheckpointException(
          "CLIP-L takes %d tokens and CLIP-G %d (model_max_length of their tokenizer_config.json); they have to be equal. The text encoders come from different models."
              .formatted(lengths.get(0), lengths.get(1)));
    }
    int clipTokens = lengths.isEmpty() ? CLIP_TOKENS : lengths.getFirst();
    return new Layout(
        contextWidth, pooledWidth, clipTokens, Math.min(t5Tokens, t5Limit.orElse(t5Tokens)));
  }

  private static int length(Clip clip) {
    return clip.tokenizer().maxLength().orElse(clip.model().config().positions());
  }

  private Part part(Backend backend, String name, Clip clip) {
    int tokens = layout.clipTokens();
    ClipConfig config = clip.model().config();
    checkLength(name, tokens, clip.tokenizer(), config.positions());
    OptionalInt end = OptionalInt.of(clip.tokenizer().eos());
    return new Part(
        clip.tokenizer(),
        tokens,
        new EncoderRunner(
            name, config.vocabulary(), end, backend, n -> clip.model().graph(n, tokens)));
  }

  private Part part(Backend backend, T5 t) {
    int tokens = layout.t5Tokens();
    int vocabulary = t.model().config().vocabulary();
    checkLength("T5", tokens, t.tokenizer(), Integer.MAX_VALUE);
    return new Part(
        t.tokenizer(),
        tokens,
        new EncoderRunner(
            "T5", vocabulary, OptionalInt.empty(), backend, n -> t.model().graph(n, tokens)));
  }

  private static void checkLength(
      String name, int tokens, PromptTokenizer tokenizer, int positions) {
    int limit = Math.min(positions, tokenizer.maxLength().orElse(Integer.MAX_VALUE));
    if (tokens > limit) {
      throw new CheckpointException(
          "%s is asked for %d tokens, but its tokenizer_config.json (model_max_length) and position table allow %d. Ask for fewer; if that is the model's own length, tokenizer and text encoder come from different models."
              .formatted(name, tokens, limit));
    }
  }

  /** The sizes of the embeddings. */
  public Layout layout() {
    return layout;
  }

  /** The token ids for each encoder; {@link PromptTokens#cuts} says what did not fit. */
  public PromptTokens tokenize(Prompts prompts) {
    return new PromptTokens(
        clipL.map(part -> part.tokenize(prompts.clipL())),
        clipG.map(part -> part.tokenize(prompts.clipG())),
        t5.map(part -> part.tokenize(prompts.t5())));
  }

  /** Encodes one prompt, cutting what does not fit. */
  public PromptEncoding encode(Prompts prompts) {
    return encode(List.of(tokenize(prompts))).getFirst();
  }

  /**
   * Encodes prompts together, such as the prompt and the negative prompt.
   *
   * @param prompts from {@link #tokenize} of this encoder
   * @return one encoding per prompt, in order
   * @throws CheckpointException if a tokenizer is not its encoder's, or weights are missing or
   *     misshaped
   */
  public List<PromptEncoding> encode(List<PromptTokens> prompts) {
    return encode(prompts, 1);
  }

  /**
   * The same, with at least {@code least} prompts in each encoder. Kernels choose their order of
   * sums by the size of a batch: with one size for all, a prompt's bits do not depend on how many
   * others there were, or were equal.
   *
   * @param least more are filled up, and what fills up is thrown away
   */
  public List<PromptEncoding> encode(List<PromptTokens> prompts, int least) {
    List<Optional<ClipOutput>> ls =
        run(clipL, prompts, least, PromptTokens::clipL, PromptEncoder::clipOutput);
    List<Optional<ClipOutput>> gs =
        run(clipG, prompts, least, PromptTokens::clipG, PromptEncoder::clipOutput);
    List<Optional<Tensor>> lasts =
        run(t5, prompts, least, PromptTokens::t5, out -> out.get("last"));
    List<PromptEncoding> encodings = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      PromptEmbedding embedding =
          PromptEmbedding.assemble(layout, ls.get(i), gs.get(i), lasts.get(i));
      encodings.add(
          new PromptEncoding(prompts.get(i), ls.get(i), gs.get(i), lasts.get(i), embedding));
    }
    return encodings;
  }

  private static <T> List<Optional<T>> run(
      Optional<Part> part,
      List<PromptTokens> prompts,
      int least,
      Function<PromptTokens, Optional<TokenizedPrompt>> tokens,
      Function<Map<String, Tensor>, T> output) {
    if (part.isEmpty() || prompts.isEmpty()) {
      return Collections.nCopies(prompts.size(), Optional.empty());
    }
    List<TokenizedPrompt> ids = prompts.stream().map(p -> tokens.apply(p).orElseThrow()).toList();
    return part.get().runner().run(ids, least).stream().map(output).map(Optional::of).toList();
  }

  private static ClipOutput clipOutput(Map<String, Tensor> outputs) {
    return new ClipOutput(outputs.get("penultimate"), outputs.get("pooled"));
  }

  @Override
  public void close() {
    for (Optional<Part> part : List.of(clipL, clipG, t5)) {
      part.ifPresent(p -> {
        p.runner().close();
        p.tokenizer().close();
      });
    }
  }
}
