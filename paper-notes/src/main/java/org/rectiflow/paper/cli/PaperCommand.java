package org.rectiflow.paper.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import org.rectiflow.paper.PaperRun;
import org.rectiflow.pipeline.cli.Subcommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Redraws everything. */
@Command(
    name = "paper",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Redraws all figures and tables of the paper that need no training.",
      "An index.html shows them and says of every other one what it would need. Takes about half a"
          + " minute."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow paper              everything into paper/; open paper/index.html",
      "  rectiflow paper --out DIR    into another folder",
      "",
      "`rectiflow figure` and `rectiflow table` make single ones."
    })
public final class PaperCommand implements Subcommand {

  @Spec private CommandSpec spec;

  @Mixin private OutOption out;

  @Override
  public Integer call() throws IOException {
    long start = System.nanoTime();
    Path index = new PaperRun(out.directory).all(spec.commandLine().getErr());
    double seconds = (System.nanoTime() - start) / 1e9;
    PrintWriter printer = spec.commandLine().getOut();
    printer.println(String.format(Locale.ROOT, "done in %.0f s; open %s", seconds, index));
    printer.flush();
    return CommandLine.ExitCode.OK;
  }
}
