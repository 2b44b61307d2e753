package org.rectiflow.trainer.page;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.picture.PngFile;

/** Sample pictures through the run: a row for each of some steps, the same prompts side by side. */
final class SampleTable {
  private static final int MOST_ROWS = 8;
  private static final int MOST_PICTURES = 16;

  /** Bytes of pictures in a page; the latest come first and the rest is left out. */
  private static final long MOST_BYTES = 6_000_000;

  private SampleTable() {}

  /** The table, newest row first; empty if there are no pictures. */
  static String html(Path folder, List<RunHistory.Samples> samples) throws IOException {
    StringBuilder html = new StringBuilder();
    long bytes = 0;
    for (RunHistory.Samples row : chosen(samples)) {
      StringBuilder cells = new StringBuilder();
      for (String name : row.files().stream().limit(MOST_PICTURES).toList()) {
        Path file = folder.resolve(name);
        // Sample pictures may be cleared away to save room; the curves stay.
        if (name.endsWith(".png") && Files.exists(file)) {
          byte[] png = Files.readAllBytes(file);
          bytes += png.length;
          if (bytes <= MOST_BYTES) {
            cells.append(picture(file, png));
          }
        }
      }
      if (!cells.isEmpty()) {
        html.append(
            Html.format(
                "<div class=\"row\"><b>step %d</b><div class=\"pictures\">%s</div></div>\n",
                row.step(), cells));
      }
    }
    return html.isEmpty()
        ? ""
        : Html.format("<section><h2>Sample pictures</h2>\n%s</section>", html);
  }

  private static String picture(Path file, byte[] png) throws IOException {
    Map<String, String> text = PngFile.readText(file);
    String prompt = Html.escape(text.getOrDefault("Description", file.getFileName().toString()));
    return Html.format(
        "<img alt=\"%s\" title=\"%s\" src=\"data:image/png;base64,%s\">",
        prompt, prompt, Base64.getEncoder().encodeToString(png));
  }

  /** The last and the first, and evenly between them. */
  private static List<RunHistory.Samples> chosen(List<RunHistory.Samples> samples) {
    int rows = Math.min(MOST_ROWS, samples.size());
    List<RunHistory.Samples> chosen = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      int last = samples.size() - 1;
      chosen.add(samples.get(rows == 1 ? last : last - (int) ((long) i * last / (rows - 1))));
    }
    return chosen;
  }
}
