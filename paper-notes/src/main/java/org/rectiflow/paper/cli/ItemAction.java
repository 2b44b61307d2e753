package org.rectiflow.paper.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import org.rectiflow.paper.Catalogue;
import org.rectiflow.paper.PaperItem;
import org.rectiflow.paper.PaperItem.Kind;
import org.rectiflow.paper.PaperRun;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What {@code figure} and {@code table} do: list the items of a kind, or draw one. */
final class ItemAction {

  private ItemAction() {}

  static int run(Kind kind, Optional<Integer> number, Path directory, CommandLine command)
      throws IOException {
    if (number.isEmpty()) {
      list(kind, command.getOut());
      return CommandLine.ExitCode.OK;
    }
    PaperItem item;
    try {
      item = Catalogue.find(kind, number.get());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command, e.getMessage(), e);
    }
    new PaperRun(directory).one(item, command.getOut());
    return CommandLine.ExitCode.OK;
  }

  private static void list(Kind kind, PrintWriter out) {
    for (PaperItem item : Catalogue.all(kind)) {
      out.println("%-10s %s".formatted(item.label(), item.subject()));
      out.println(
          "%-10s   %s"
              .formatted("", item.shown().isEmpty() ? "(not redrawn)" : "-> " + item.shown()));
    }
    out.flush();
  }
}
