package org.rectiflow.paper.cli;

import java.io.IOException;
import java.util.Optional;
import org.rectiflow.paper.PaperItem.Kind;
import org.rectiflow.pipeline.cli.Subcommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Recomputes a table. */
@Command(
    name = "table",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Prints a table of the paper with everything in it that can be computed, and writes CSV.",
      "Without a number it lists the tables and what is computed of each."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow table                all tables, and what is computed",
      "  rectiflow table 7              storage of pre-encoded data",
      "  rectiflow table 1 --out ranks  the ranking procedure, into ranks/"
    })
public final class TableCommand implements Subcommand {

  @Spec private CommandSpec spec;

  @Parameters(arity = "0..1", paramLabel = "N", description = "Number of the table, 1 to 7.")
  private Optional<Integer> number;

  @Mixin private OutOption out;

  @Override
  public Integer call() throws IOException {
    return ItemAction.run(Kind.TABLE, number, out.directory, spec.commandLine());
  }
}
