package org.rectiflow.paper.items;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What one run of a study in {@code study/studies} gave, kept beside this class as texts whose
 * columns are parted by tabulators, the first line naming them.
 *
 * @param notes how it was made, and how far it agrees with the paper
 * @param ranking mean ranks of the variants, best first
 * @param steps scores of each variant by sampling steps
 */
record Miniature(List<String> notes, List<List<String>> ranking, List<List<String>> steps) {

  /**
   * Reads a study's results.
   *
   * @param name of the study
   */
  static Miniature read(String name) {
    List<String> notes = lines(name + "-notes.txt");
    return new Miniature(notes, cells(name + "-ranking.tsv"), cells(name + "-steps.tsv"));
  }

  /** The rows of {@link #steps} without the variant, by variant, in the order of the file. */
  Map<String, List<List<String>>> stepsByVariant() {
    Map<String, List<List<String>>> variants = new LinkedHashMap<>();
    for (List<String> row : steps) {
      variants
          .computeIfAbsent(row.getFirst(), _ -> new ArrayList<>())
          .add(row.subList(1, row.size()));
    }
    return variants;
  }

  private static List<List<String>> cells(String file) {
    List<String> lines = lines(file);
    return lines.subList(1, lines.size()).stream()
        .map(line -> List.of(line.split("\t", -1)))
        .toList();
  }

  private static List<String> lines(String file) {
    InputStream stream =
        Objects.requireNonNull(Miniature.class.getResourceAsStream(file), "no resource " + file);
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      return reader.lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
