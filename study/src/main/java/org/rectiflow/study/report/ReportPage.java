package org.rectiflow.study.report;

import java.util.List;
import java.util.Map;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Html;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.plan.Section;
import org.rectiflow.study.plan.StudyPlan;

/**
 * A report as Markdown and as HTML.
 *
 * @param facts sentences about the study
 * @param failures runs that failed; shown if there are any
 */
record ReportPage(
    StudyPlan plan, List<String> facts, Map<Section, Rendering> sections, DataTable failures) {

  String markdown() {
    StringBuilder text = new StringBuilder("# " + plan.study().title() + "\n\n");
    if (!plan.study().claim().isEmpty()) {
      text.append("The paper: ").append(plan.study().claim()).append("\n\n");
    }
    facts.forEach(fact -> text.append("- ").append(fact).append('\n'));
    text.append('\n');
    sections.forEach((section, rendering) -> {
      text.append("## ").append(heading(section)).append("\n\n");
      for (NamedPicture picture : rendering.pictures()) {
        text.append("![%s](%s.svg)%n%n".formatted(picture.alt(), picture.name()));
      }
      rendering.tables().stream().filter(DataTable::shown).forEach(t -> markdown(text, t));
      rendering.notes().forEach(note -> text.append(note).append("\n\n"));
    });
    if (!failures.rows().isEmpty()) {
      text.append("## Failures\n\n");
      markdown(text, failures);
    }
    return text.toString();
  }

  private static void markdown(StringBuilder text, DataTable table) {
    text.append(table.title()).append(":\n\n");
    row(text, table.columns());
    row(text, table.columns().stream().map(_ -> "---").toList());
    table.rows().forEach(cells -> row(text, cells));
    text.append('\n');
  }

  private static void row(StringBuilder text, List<String> cells) {
    text.append("| ");
    text.append(
        String.join(
            " | ", cells.stream().map(c -> c.replace("|", "\\|").replace('\n', ' ')).toList()));
    text.append(" |\n");
  }

  private static String heading(Section section) {
    String key = section.key();
    return Character.toUpperCase(key.charAt(0)) + key.substring(1);
  }

  String html() {
    StringBuilder page =
        new StringBuilder(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>%s</title>
            <style>
            body { font: 16px/1.5 sans-serif; color: #222; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
            img { max-width: 100%%; height: auto; border: 1px solid #ddd; }
            table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; display: block; overflow-x: auto; }
            caption { text-align: left; font-weight: bold; padding: 0.3rem 0; }
            th, td { border: 1px solid #ccc; padding: 0.2rem 0.6rem; text-align: right; }
            th:first-child, td:first-child { text-align: left; }
            </style>
            </head>
            <body>
            <h1>%s</h1>
            """
                .formatted(Html.escape(plan.study().title()), Html.escape(plan.study().title())));
    if (!plan.study().claim().isEmpty()) {
      page.append("<p>The paper: ").append(Html.escape(plan.study().claim())).append("</p>\n");
    }
    page.append("<ul>\n");
    facts.forEach(fact -> page.append("<li>").append(Html.escape(fact)).append("</li>\n"));
    page.append("</ul>\n");
    sections.forEach((section, rendering) -> {
      page.append("<section>\n<h2>").append(heading(section)).append("</h2>\n");
      for (NamedPicture picture : rendering.pictures()) {
        page.append(
            "<p><a href=\"%1$s.svg\"><img src=\"%1$s.png\" alt=\"%2$s\"></a></p>%n"
                .formatted(picture.name(), Html.escape(picture.alt())));
      }
      rendering.tables().stream()
          .filter(DataTable::shown)
          .forEach(table -> page.append(table.html()));
      rendering
          .notes()
          .forEach(note -> page.append("<p>").append(Html.escape(note)).append("</p>\n"));
      page.append("</section>\n");
    });
    if (!failures.rows().isEmpty()) {
      page.append("<section>\n").append(failures.html()).append("</section>\n");
    }
    return page.append("</body>\n</html>\n").toString();
  }
}
