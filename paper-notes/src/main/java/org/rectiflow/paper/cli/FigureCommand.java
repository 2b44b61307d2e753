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

/** Redraws a figure. */
@Command(
    name = "figure",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Redraws a figure of the paper as far as that needs no training, as PNG, SVG and CSV.",
      "Without a number it lists the figures and what is shown of each."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow figure                 all figures, and which are redrawn",
      "  rectiflow figure 11              the densities of training timesteps",
      "  rectiflow figure 3 --out plots   sampling error over steps, into plots/"
    })
public final class FigureCommand implements Subcommand {

  @Spec private CommandSpec spec;

  @Parameters(arity = "0..1", paramLabel = "N", description = "Number of the figure, 1 to 17.")
  private Optional<Integer> number;

  @Mixin private OutOption out;

  @Override
  public Integer call() throws IOException {
    return ItemAction.run(Kind.FIGURE, number, out.directory, spec.commandLine());
  }
}
