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
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;

/**
 * What one run of a study in {@code study/studies} gave, kept beside this class: the tables of the
 * study's report as texts whose columns are parted by tabulators, the first line naming them.
 *
 * @param study its name
 * @param notes how it was made, and how far it agrees with the paper
 */
record Miniature(String study, List<String> notes) {

  /**
   * A table of the study's report.
   *
   * @param columns their names; the first is that of the variants
   */
  record Cells(List<String> columns, List<List<String>> rows) {

    /** For people. */
    DataTable table(String name, String title) {
      return new DataTable(name, title, columns, rows, true);
    }

    /** The rows without the variant, by variant, in the order of the file. */
    Map<String, List<List<String>>> byVariant() {
      Map<String, List<List<String>>> variants = new LinkedHashMap<>();
      for (List<String> row : rows) {
        variants
            .computeIfAbsent(row.getFirst(), _ -> new ArrayList<>())
            .add(row.subList(1, row.size()));
      }
      return variants;
    }

    /**
     * Draws a line for each variant.
     *
     * @param x number of the column along, not counting that of the variants
     * @param y number of the column up
     */
    void draw(LineChart chart, int x, int y) {
      Map<String, List<List<String>>> variants = byVariant();
      VariantLines lines = new VariantLines(List.copyOf(variants.keySet()));
      variants.forEach((variant, of) -> lines.draw(chart, variant, column(of, x), column(of, y)));
    }

    private static double[] column(List<List<String>> rows, int number) {
      return rows.stream().mapToDouble(row -> Double.parseDouble(row.get(number))).toArray();
    }
  }

  /**
   * Reads a study's notes.
   *
   * @param study its name
   */
  static Miniature of(String study) {
    return new Miniature(study, lines(study + "-notes.txt"));
  }

  /** A table of its report. */
  Cells cells(String table) {
    List<List<String>> cells =
        lines(study + "-" + table + ".tsv").stream()
            .map(line -> List.of(line.split("\t", -1)))
            .toList();
    return new Cells(cells.getFirst(), cells.subList(1, cells.size()));
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
