package org.rectiflow.paper.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where results are written. */
final class OutOption {

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "paper",
      description = "Folder for PNG, SVG and CSV files; default: ${DEFAULT-VALUE}.")
  Path directory;
}
