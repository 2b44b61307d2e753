package org.rectiflow.paper;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Html;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** The page that shows all results and lists what is not shown. */
final class IndexPage {

  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>The paper, redrawn without training</title>
      <style>
      body { font: 16px/1.5 sans-serif; color: #222; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
      img { max-width: 100%; height: auto; border: 1px solid #ddd; }
      table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; display: block; overflow-x: auto; }
      caption { text-align: left; font-weight: bold; padding: 0.3rem 0; }
      th, td { border: 1px solid #ccc; padding: 0.2rem 0.6rem; text-align: right; }
      th:first-child, td:first-child { text-align: left; }
      table.overview td, table.overview th { text-align: left; }
      dt { font-weight: bold; margin-top: 0.4rem; }
      dd { margin-left: 1.5rem; }
      section { border-top: 2px solid #222; margin-top: 2.5rem; }
      @media print { section { break-inside: avoid; } }
      </style>
      </head>
      <body>
      <h1>The paper, redrawn without training</h1>
      <p>Esser et al., &ldquo;Scaling Rectified Flow Transformers for High-Resolution Image
      Synthesis&rdquo;, <a href="https://arxiv.org/abs/2403.03206">arXiv 2403.03206</a>: 17 figures,
      7 tables and 2 algorithms. For each this page shows what can be computed exactly, and says what
      needs training or weights and what cannot be had. Pictures link to their SVG; all numbers are in
      the CSV files beside this page.</p>
      """;

  private final Map<PaperItem, Rendering> renderings = new LinkedHashMap<>();
  private final Rendering equations;

  IndexPage(Rendering equations) {
    this.equations = equations;
  }

  void add(PaperItem item, Rendering rendering) {
    renderings.put(item, rendering);
  }

  String html() {
    StringBuilder page = new StringBuilder(HEAD);
    overview(page);
    page.append(
        "<section id=\"equations\">\n<h2>Sections 2 and 3: the equations as pictures</h2>\n");
    rendering(page, equations);
    page.append("</section>\n");
    for (PaperItem item : Catalogue.all()) {
      item(page, item);
    }
    return page.append("</body>\n</html>\n").toString();
  }

  private static void overview(StringBuilder page) {
    page.append("<table class=\"overview\">\n<caption>Overview</caption>\n");
    page.append("<thead><tr><th>Item</th><th>Subject</th><th>Redrawn</th></tr></thead>\n<tbody>\n");
    for (PaperItem item : Catalogue.all()) {
      page.append(
          "<tr><td><a href=\"#%s\">%s</a></td><td>%s</td><td>%s</td></tr>\n"
              .formatted(
                  anchor(item), item.label(), Html.escape(item.subject()), item.coverage().word()));
    }
    page.append("</tbody>\n</table>\n");
  }

  private void item(StringBuilder page, PaperItem item) {
    page.append(
        "<section id=\"%s\">\n<h2>%s</h2>\n<p>%s</p>\n<dl>\n"
            .formatted(anchor(item), item.label(), Html.escape(item.subject())));
    entry(page, "Shown here", item.shown().isEmpty() ? "Nothing." : item.shown());
    entry(page, "Needs training or weights", item.training());
    entry(page, "Cannot be had", item.unavailable());
    page.append("</dl>\n");
    if (renderings.containsKey(item)) {
      rendering(page, renderings.get(item));
    }
    page.append("</section>\n");
  }

  private static void entry(StringBuilder page, String term, String text) {
    if (!text.isEmpty()) {
      page.append("<dt>%s</dt><dd>%s</dd>\n".formatted(term, Html.escape(text)));
    }
  }

  private static void rendering(StringBuilder page, Rendering rendering) {
    for (NamedPicture picture : rendering.pictures()) {
      page.append(
          "<p><a href=\"%1$s.svg\"><img src=\"%1$s.png\" width=\"%2$d\" alt=\"%3$s\"></a></p>\n"
              .formatted(picture.name(), picture.picture().width(), Html.escape(picture.alt())));
    }
    for (DataTable table : rendering.tables()) {
      page.append(table.shown() ? table.html() : "");
    }
    for (String note : rendering.notes()) {
      page.append("<p>").append(Html.escape(note)).append("</p>\n");
    }
    List<String> files = rendering.tables().stream().map(table -> table.name() + ".csv").toList();
    if (!files.isEmpty()) {
      page.append("<p>Numbers:");
      files.forEach(file -> page.append(" <a href=\"%1$s\">%1$s</a>".formatted(file)));
      page.append("</p>\n");
    }
  }

  private static String anchor(PaperItem item) {
    return item.kind().word() + "-" + item.number();
  }
}
