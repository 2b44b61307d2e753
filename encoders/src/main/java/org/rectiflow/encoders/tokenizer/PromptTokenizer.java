package org.rectiflow.encoders.tokenizer;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import org.rectiflow.encoders.tokenizer.NativeTokenizer.Pieces;

/**
 * The tokenizer of one text encoder, read from a folder of a diffusers model. Token ids are those
 * of transformers' CLIPTokenizer and T5Tokenizer (5.x) called with {@code padding="max_length",
 * truncation=True}, as the pipelines of SD3 call them.
 *
 * <ul>
 *   <li>CLIP: BOS, text, EOS; a long text loses its end and keeps the EOS; padding is EOS for
 *       CLIP-L and "!" (id 0) for CLIP-G.
 *   <li>T5: text, EOS (1), padding 0; no BOS.
 * </ul>
 *
 * <p>Files: {@code tokenizer_config.json} (which has to be there: it says the length and the
 * special tokens), {@code special_tokens_map.json} if there, and {@code tokenizer.json} or, in a
 * folder without one, {@code vocab.json} with {@code merges.txt} (CLIP) or {@code spiece.model}
 * (T5).
 *
 * <p>Safe for use by one thread at a time; holds native memory until closed.
 */
public final class PromptTokenizer implements AutoCloseable {
  private final NativeTokenizer tokenizer;
  private final OptionalInt bos;
  private final int eos;
  private final int pad;
  private final OptionalInt maxLength;

  private PromptTokenizer(
      NativeTokenizer tokenizer, OptionalInt bos, int eos, int pad, OptionalInt maxLength) {
    this.tokenizer = tokenizer;
    this.bos = bos;
    this.eos = eos;
    this.pad = pad;
    this.maxLength = maxLength;
  }

  /**
   * Opens the tokenizer of CLIP-L or CLIP-G.
   *
   * @throws TokenizerException if a file is missing or wrong
   */
  public static PromptTokenizer clip(Path folder) {
    TokenizerFiles files = new TokenizerFiles(folder);
    TokenizerConfig config = TokenizerConfig.read(files);
    String file = files.has("tokenizer.json") ? "tokenizer.json" : "vocab.json";
    return create(
        files,
        config,
        NativeTokenizer.open(files, file, ClipTokenizerJson.read(files, config)),
        true);
  }

  /**
   * Opens the tokenizer of T5.
   *
   * @throws TokenizerException if a file is missing or wrong
   */
  public static PromptTokenizer t5(Path folder) {
    TokenizerFiles files = new TokenizerFiles(folder);
    TokenizerConfig config = TokenizerConfig.read(files);
    NativeTokenizer tokenizer;
    if (files.has("tokenizer.json")) {
      tokenizer = NativeTokenizer.open(files, "tokenizer.json", files.bytes("tokenizer.json"));
    } else if (files.has("spiece.model")) {
      tokenizer =
          NativeTokenizer.open(
              files, "spiece.model", T5TokenizerJson.fromSentencePiece(files, config));
    } else {
      throw new TokenizerException(
          "tokenizer folder "
              + folder
              + " has neither tokenizer.json nor spiece.model; copy one from the repository the"
              + " model came from");
    }
    return create(files, config, tokenizer, false);
  }

  private static PromptTokenizer create(
      TokenizerFiles files, TokenizerConfig config, NativeTokenizer tokenizer, boolean bos) {
    try {
      return new PromptTokenizer(
          tokenizer,
          bos ? OptionalInt.of(id(files, config, tokenizer, "bos_token")) : OptionalInt.empty(),
          id(files, config, tokenizer, "eos_token"),
          id(files, config, tokenizer, "pad_token"),
          config.maxLength());
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  private static int id(
      TokenizerFiles files, TokenizerConfig config, NativeTokenizer tokenizer, String kind) {
    String token =
        config
            .token(kind)
            .orElseThrow(() -> files.bad("tokenizer_config.json", "names no " + kind, null))
            .content();
    int[] ids = tokenizer.encode(token).ids();
    if (ids.length != 1) {
      throw files.bad(
          "tokenizer_config.json",
          "has "
              + kind
              + " \""
              + token
              + "\", which is not one token of the vocabulary but "
              + ids.length,
          null);
    }
    return ids[0];
  }

  /**
   * {@code model_max_length} of a tokenizer folder, without opening the tokenizer: the length of
   * the zeros that stand for a T5 that is not loaded.
   *
   * @throws TokenizerException if {@code tokenizer_config.json} is missing or wrong
   */
  public static OptionalInt maxLength(Path folder) {
    return TokenizerConfig.read(new TokenizerFiles(folder)).maxLength();
  }

  /** The longest sequence the model was made for, if the folder says: 77 for CLIP, 512 for T5. */
  public OptionalInt maxLength() {
    return maxLength;
  }

  /** Id of the token that ends the text; CLIP's pooled output is taken at its first occurrence. */
  public int eos() {
    return eos;
  }

  /** Id of the token that fills the sequence up. */
  public int pad() {
    return pad;
  }

  /**
   * Tokenizes a prompt.
   *
   * @param text the prompt; may be empty
   * @param length how many ids to return, special tokens included
   * @throws IllegalArgumentException if the text is not valid Unicode, or {@code length} exceeds
   *     {@link #maxLength} or leaves no place for the special tokens
   */
  public TokenizedPrompt encode(String text, int length) {
    int specials = bos.isPresent() ? 2 : 1;
    if (length < specials || length > maxLength.orElse(Integer.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "a prompt of "
              + length
              + " tokens was asked for; the tokenizer gives "
              + specials
              + " to "
              + maxLength.orElse(Integer.MAX_VALUE));
    }
    checkUnicode(text);
    Pieces pieces = tokenizer.encode(text);
    int count = pieces.ids().length;
    int kept = Math.min(count, length - specials);
    int[] ids = new int[length];
    Arrays.fill(ids, pad);
    int at = 0;
    if (bos.isPresent()) {
      ids[at++] = bos.getAsInt();
    }
    System.arraycopy(pieces.ids(), 0, ids, at, kept);
    ids[at + kept] = eos;
    String cut =
        kept == count ? "" : text.substring(text.offsetByCodePoints(0, pieces.starts()[kept]));
    return new TokenizedPrompt(ids, count + specials, cut);
  }

  /** The library takes UTF-8, which cannot say half a surrogate pair. */
  private static void checkUnicode(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new IllegalArgumentException(
            String.format(
                "the prompt is not valid Unicode: half a surrogate pair, \\u%04X, at position %d;"
                    + " retype that character",
                (int) c, i));
      }
    }
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
