package org.rectiflow.pipeline.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

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

  /** The file of picture {@code index}. */
  Path picture(int index, long seed) {
    if (out.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
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
