package org.rectiflow.paper.output;

import java.util.ArrayList;
import java.util.List;

/**
 * A table of texts, written as CSV, HTML or aligned plain text.
 *
 * @param name file name without extension
 * @param title one line
 * @param columns headings
 * @param rows cells, as many in each row as there are columns
 * @param shown whether people are shown the table; the others are only the numbers behind a chart
 */
public record DataTable(
    String name, String title, List<String> columns, List<List<String>> rows, boolean shown) {

  /** Checks the shape. */
  public DataTable {
    FileNames.require(name);
    columns = List.copyOf(columns);
    rows = rows.stream().map(List::copyOf).toList();
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).size() != columns.size()) {
        throw new IllegalArgumentException(
            "row %d of table %s has %d cells, expected %d"
                .formatted(i, name, rows.get(i).size(), columns.size()));
      }
    }
  }

  /** A table with its rows still to come. */
  public static Builder of(String name, String title, String... columns) {
    return new Builder(name, title, List.of(columns));
  }

  /** Collects rows. */
  public static final class Builder {
    private final String name;
    private final String title;
    private final List<String> columns;
    private final List<List<String>> rows = new ArrayList<>();

    private Builder(String name, String title, List<String> columns) {
      this.name = name;
      this.title = title;
      this.columns = columns;
    }

    /** Adds a row. */
    public Builder row(String... cells) {
      rows.add(List.of(cells));
      return this;
    }

    /** The table, shown to people. */
    public DataTable build() {
      return new DataTable(name, title, columns, rows, true);
    }

    /** The table, written as CSV only. */
    public DataTable buildData() {
      return new DataTable(name, title, columns, rows, false);
    }
  }

  /** RFC 4180 text, with a heading line, lines ended by a newline. */
  public String csv() {
    StringBuilder text = new StringBuilder();
    appendCsv(text, columns);
    rows.forEach(row -> appendCsv(text, row));
    return text.toString();
  }

  /** A HTML table element. */
  public String html() {
    StringBuilder text = new StringBuilder("<table>\n<caption>");
    text.append(Html.escape(title)).append("</caption>\n<thead><tr>");
    for (String column : columns) {
      text.append("<th>").append(Html.escape(column)).append("</th>");
    }
    text.append("</tr></thead>\n<tbody>\n");
    for (List<String> row : rows) {
      text.append("<tr>");
      for (String cell : row) {
        text.append("<td>").append(Html.escape(cell)).append("</td>");
      }
      text.append("</tr>\n");
    }
    return text.append("</tbody>\n</table>\n").toString();
  }

  /** The table for a terminal: the first column left, the others right aligned. */
  public String text() {
    int[] width = new int[columns.size()];
    widen(width, columns);
    rows.forEach(row -> widen(width, row));
    StringBuilder text = new StringBuilder(title).append('\n');
    appendAligned(text, columns, width);
    text.append("-".repeat(sum(width) + 2 * (width.length - 1))).append('\n');
    rows.forEach(row -> appendAligned(text, row, width));
    return text.toString();
  }

  private static void appendCsv(StringBuilder text, List<String> cells) {
    for (int i = 0; i < cells.size(); i++) {
      String cell = cells.get(i);
      boolean quote = cell.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
      text.append(i == 0 ? "" : ",");
      text.append(quote ? '"' + cell.replace("\"", "\"\"") + '"' : cell);
    }
    text.append('\n');
  }

  private static void widen(int[] width, List<String> cells) {
    for (int i = 0; i < width.length; i++) {
      width[i] = Math.max(width[i], cells.get(i).length());
    }
  }

  private static void appendAligned(StringBuilder text, List<String> cells, int[] width) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < width.length; i++) {
      String pad = " ".repeat(width[i] - cells.get(i).length());
      line.append(i == 0 ? cells.get(i) + pad : "  " + pad + cells.get(i));
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }

  private static int sum(int[] values) {
    int sum = 0;
    for (int value : values) {
      sum += value;
    }
    return sum;
  }
}
