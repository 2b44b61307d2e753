package org.rectiflow.pipeline.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;

/**
 * The files pictures go to. A {@code .png} name is taken as it is (numbered in a batch) and
 * replaced if it exists: it was asked for. In a folder files are named after prompt and seed and
 * never replace another.
 *
 * @param out what {@code --out} says
 * @param prompt the prompt
 * @param batch how many pictures there will be
 */
record OutputNames(Path out, String prompt, int batch) {
  private static final int LONGEST_SLUG = 60;
  private static final String PNG = ".png";
  private static final Pattern OTHER_PICTURES =
      Pattern.compile("\\.(jpe?g|webp|gif|bmp|tiff?|svg)$");

  /**
   * Looks at {@code --out} before anything is computed.
   *
   * @throws UserException if pictures cannot be written there
   */
  static void check(Path out) {
    String name = out.toString().toLowerCase(Locale.ROOT);
    if (OTHER_PICTURES.matcher(name).find() && !Files.isDirectory(out)) {
      throw new UsageException(
          "--out %s: pictures are PNG files; name a .png file, or a folder".formatted(out));
    }
    if (name.endsWith(PNG)) {
      OutputPlace.requireFile("--out", out);
    } else {
      OutputPlace.requireFolder("--out", out);
    }
  }

  /** The file of picture {@code index}. */
  Path picture(int index, long seed) {
    if (out.toString().toLowerCase(Locale.ROOT).endsWith(PNG)) {
      return numbered(out, index, batch);
    }
    String name = slug(prompt) + "-s" + seed;
    Path file = out.resolve(name + ".png");
    for (int i = 2; Files.exists(file); i++) {
      file = out.resolve(name + "-" + i + ".png");
    }
    return file;
  }

  /** {@code name-1.png}, {@code name-2.png} ... in a batch; the name itself without one. */
  static Path numbered(Path file, int index, int batch) {
    if (batch == 1) {
      return file;
    }
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String stem = dot < 0 ? name : name.substring(0, dot);
    return file.resolveSibling(stem + "-" + (index + 1) + name.substring(stem.length()));
  }

  private static String slug(String text) {
    String words =
        text.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", "-").replaceAll("^-|-$", "");
    String cut = words.substring(0, Math.min(LONGEST_SLUG, words.length()));
    return cut.isEmpty() ? "picture" : cut;
  }
}
