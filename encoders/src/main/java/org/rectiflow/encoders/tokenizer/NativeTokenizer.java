package org.rectiflow.encoders.tokenizer;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/**
 * Hugging Face's tokenizers library, through DJL: text to ids and to where in the text each id came
 * from, nothing else.
 *
 * <p>Left alone, DJL asks the network for telemetry and, on a machine with CUDA, downloads another
 * build of the library. Its offline mode stops both; this class turns it on for the JVM unless the
 * user has set the property {@code ai.djl.offline}. The native library comes out of the jar and is
 * kept in {@code ~/.djl.ai} ({@code DJL_CACHE_DIR} names another place).
 */
final class NativeTokenizer implements AutoCloseable {
  private static final String OFFLINE = "ai.djl.offline";

  private final HuggingFaceTokenizer tokenizer;

  /** Ids, and for each the code point of the text it begins at. */
  record Pieces(int[] ids, int[] starts) {}

  private NativeTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Opens a {@code tokenizer.json}. {@code file} is for errors. */
  static NativeTokenizer open(TokenizerFiles files, String file, JsonNode json) {
    try {
      return open(files, file, TokenizerFiles.JSON.writeValueAsBytes(json));
    } catch (IOException e) {
      throw files.bad(file, "cannot be used: " + e.getMessage(), e);
    }
  }

  static NativeTokenizer open(TokenizerFiles files, String file, byte[] json) {
    if (System.getProperty(OFFLINE) == null) {
      System.setProperty(OFFLINE, "true");
    }
    // A stream, not a path: given a path DJL also applies the tokenizer_config.json beside it.
    try {
      return new NativeTokenizer(
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json), Map.of("truncation", "false", "padding", "false")));
    } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new TokenizerException(
          "the native tokenizers library does not load on "
              + System.getProperty("os.name")
              + " "
              + System.getProperty("os.arch")
              + " ("
              + e
              + "); it is built for Linux x86_64 and aarch64 with glibc 2.34 or later, macOS aarch64"
              + " and Windows x86_64, and needs a writable ~/.djl.ai or DJL_CACHE_DIR",
          e);
    } catch (IOException | RuntimeException e) {
      throw files.bad(file, "is not a tokenizer the library understands: " + e.getMessage(), e);
    }
  }

  /** The ids of {@code text} alone, without special tokens around it. */
  Pieces encode(String text) {
    Encoding encoding = tokenizer.encode(text, false, false);
    long[] ids = encoding.getIds();
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] narrow = new int[ids.length];
    int[] starts = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      narrow[i] = Math.toIntExact(ids[i]);
      starts[i] = spans[i].getStart();
    }
    return new Pieces(narrow, starts);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
