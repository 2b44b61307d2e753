package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.rectiflow.pipeline.checkpoint.Inspection;
import org.rectiflow.pipeline.checkpoint.Inspection.PartReport;
import org.rectiflow.pipeline.io.Bytes;

/** Prints what a file or folder is, for people. */
final class InspectionText {
  private static final int LONGEST_VALUE = 100;

  private InspectionText() {}

  static void print(PrintWriter out, Inspection found) {
    out.printf("%s: %s (%s)%n", found.path(), found.what(), found.layout());
    found.problems().forEach(problem -> out.printf("%-16s %s%n", "problem", problem));
    found.parts().forEach((name, part) -> part(out, name, part));
    found.tokenizers().forEach((name, folder) -> out.printf("%-16s %s%n", name, folder));
    missing(out, found.missing());
    for (Map.Entry<String, String> entry : found.metadata().entrySet()) {
      String value = entry.getValue().replaceAll("\\s+", " ");
      out.printf(
          "%-16s %s = %s%n",
          "metadata",
          entry.getKey(),
          value.length() > LONGEST_VALUE ? value.substring(0, LONGEST_VALUE) + " ..." : value);
    }
  }

  /** The tokenizers come from one place, so what to do is said once. */
  private static void missing(PrintWriter out, Map<String, String> missing) {
    List<String> tokenizers = missing.keySet().stream().filter(n -> n.startsWith("tok")).toList();
    missing.forEach((name, how) -> {
      if (!tokenizers.contains(name)) {
        out.printf("%-16s missing. %s%n", name, how);
      }
    });
    if (!tokenizers.isEmpty()) {
      out.printf(
          "%-16s %s missing. %s%n",
          "tokenizers", String.join(", ", tokenizers), missing.get(tokenizers.getLast()));
    }
  }

  private static void part(PrintWriter out, String name, PartReport part) {
    out.printf(
        Locale.ROOT,
        "%-16s %s%n%-16s %d tensors, %,d parameters, %s, elements by type %s%n",
        name,
        part.sizes().isEmpty() ? part.what() : part.what() + ": " + part.sizes(),
        "",
        part.tensors(),
        part.parameters(),
        Bytes.text(part.bytes()),
        part.dtypes());
    if (!part.files().isEmpty()) {
      int others = part.files().size() - 1;
      String more = others == 0 ? "" : " and " + others + " more shards";
      out.printf("%-16s in %s%s%n", "", part.files().getFirst(), more);
    }
    part.problems().forEach(problem -> out.printf("%-16s problem: %s%n", "", problem));
    part.list().forEach((tensor, what) -> out.printf("  %-80s %s%n", tensor, what));
  }
}
