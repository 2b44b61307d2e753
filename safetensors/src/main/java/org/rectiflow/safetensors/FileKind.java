package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Locale;
import java.util.Optional;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * Recognises by its first bytes what a file is that is no safetensors file. Asked only after a file
 * was found invalid, so that no valid file can be mistaken.
 *
 * @param kind the error to report
 * @param what what the file is
 * @param remedy what the user can do
 */
record FileKind(Kind kind, String what, String remedy) {

  /** How many bytes {@link #recognise} wants to see; fewer do when the file is shorter. */
  static final int SNIFFED_BYTES = 512;

  static Optional<FileKind> recognise(byte[] head) {
    if (startsLikeSafetensors(head)) {
      return Optional.empty();
    }
    String text = new String(head, ISO_8859_1);
    String start = text.stripLeading().toLowerCase(Locale.ROOT);
    if (text.startsWith("version https://git-lfs")) {
      return found(
          Kind.GIT_LFS_POINTER,
          "this is a git-lfs pointer, a small text that stands for the real file",
          "Fetch the real file with `git lfs pull`, or download it from the model's page");
    }
    if (start.startsWith("<!doctype")
        || start.startsWith("<html")
        || start.startsWith("<head")
        || start.startsWith("<?xml")) {
      return found(
          Kind.HTML_PAGE,
          "this is a web page, not a safetensors file; the download was answered with an error or"
              + " a login page",
          "Open it in a browser to see what the server said, then download again (gated models"
              + " need an access token)");
    }
    if (text.startsWith("PK\u0003\u0004") || text.startsWith("PK\u0005\u0006")) {
      return found(
          Kind.ZIP_ARCHIVE,
          "this is a zip archive, probably a PyTorch checkpoint (.ckpt, .pt, .bin)",
          "Download the .safetensors version, or convert it in Python with"
              + " safetensors.torch.save_file");
    }
    if (head.length > 1 && (head[0] & 0xff) == 0x80 && head[1] >= 1 && head[1] <= 5) {
      return found(
          Kind.PICKLE,
          "this is a Python pickle, probably an old PyTorch checkpoint (.ckpt, .pt, .bin)",
          "Download the .safetensors version, or convert it in Python with"
              + " safetensors.torch.save_file; pickles can run code and are not read here");
    }
    if (text.startsWith("GGUF")) {
      return found(
          Kind.GGUF,
          "this is a GGUF file, as llama.cpp and stable-diffusion.cpp use",
          "Download the .safetensors version of the model");
    }
    if (start.startsWith("{") || start.startsWith("[")) {
      return found(
          Kind.TEXT_FILE,
          "this is JSON text, not a safetensors file",
          "If it is an index of shards, its name must end in .safetensors.index.json; if it is a"
              + " server's error message, download again");
    }
    if (head.length > 0 && text.chars().allMatch(FileKind::isText)) {
      return found(
          Kind.TEXT_FILE,
          "this is a text file, not a safetensors file; it starts with "
              + SafetensorsException.quote(text.lines().findFirst().orElse("")),
          "Download the .safetensors file again");
    }
    return Optional.empty();
  }

  /** A possible header length, and, where the file goes on, an opening brace. */
  private static boolean startsLikeSafetensors(byte[] head) {
    return head.length >= Header.LENGTH_BYTES
        && Long.compareUnsigned(Header.length(head), Header.MAX_LENGTH) <= 0
        && (head.length == Header.LENGTH_BYTES || head[Header.LENGTH_BYTES] == '{');
  }

  private static Optional<FileKind> found(Kind kind, String what, String remedy) {
    return Optional.of(new FileKind(kind, what, remedy));
  }

  private static boolean isText(int c) {
    return c == '\n' || c == '\r' || c == '\t' || (c >= ' ' && c < 0x7f);
  }
}
