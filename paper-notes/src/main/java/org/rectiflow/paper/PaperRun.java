package org.rectiflow.paper;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.rectiflow.paper.items.Equations;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.OutputFolder;
import org.rectiflow.paper.output.Rendering;

/** Draws one item or all of them into a folder. */
public final class PaperRun {

  private final OutputFolder folder;

  /**
   * A run that writes to a folder, which is made when the first file is written.
   *
   * @param directory the folder
   * @throws org.rectiflow.pipeline.io.UserException if there is a file of this name
   */
  public PaperRun(Path directory) {
    this.folder = new OutputFolder(directory);
  }

  /**
   * Draws one item, writes its files and prints its tables and notes; of an item that cannot be
   * drawn it prints why.
   *
   * @throws IOException if a file cannot be written
   */
  public void one(PaperItem item, PrintWriter out) throws IOException {
    out.println(item.label() + ": " + item.subject());
    print(out, "Shown here", item.shown().isEmpty() ? "nothing" : item.shown());
    print(out, "Needs training or weights", item.training());
    print(out, "Cannot be had", item.unavailable());
    if (item.renderer().isPresent()) {
      Rendering rendering = item.renderer().get().render();
      List<Path> files = folder.write(rendering);
      for (DataTable table : rendering.tables()) {
        if (table.shown()) {
          out.println();
          out.print(table.text());
        }
      }
      for (String note : rendering.notes()) {
        out.println();
        out.println(note);
      }
      out.println();
      files.forEach(file -> out.println("wrote " + file));
    }
    out.flush();
  }

  /**
   * Draws everything and writes the index page.
   *
   * @param progress told about each item as it is finished
   * @return the index page
   * @throws IOException if a file cannot be written
   */
  public Path all(PrintWriter progress) throws IOException {
    List<PaperItem> drawn =
        Catalogue.all().stream().filter(item -> item.renderer().isPresent()).toList();
    int total = drawn.size() + 1;
    long start = System.nanoTime();
    Rendering equations = Equations.render();
    folder.write(equations);
    report(progress, 1, total, "equations of Sections 2 and 3", start);
    IndexPage index = new IndexPage(equations);
    for (int i = 0; i < drawn.size(); i++) {
      start = System.nanoTime();
      Rendering rendering = drawn.get(i).renderer().orElseThrow().render();
      folder.write(rendering);
      index.add(drawn.get(i), rendering);
      report(progress, i + 2, total, drawn.get(i).label(), start);
    }
    return folder.writeText("index.html", index.html());
  }

  private static void report(PrintWriter out, int done, int total, String what, long start) {
    double seconds = (System.nanoTime() - start) / 1e9;
    out.println(String.format(Locale.ROOT, "[%2d/%d] %s (%.1f s)", done, total, what, seconds));
    out.flush();
  }

  private static void print(PrintWriter out, String term, String text) {
    if (!text.isEmpty()) {
      out.println("  " + term + ": " + text);
    }
  }
}
