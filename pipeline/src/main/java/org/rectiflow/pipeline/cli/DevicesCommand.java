package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.reference.ReferenceBackend;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists what graphs can run on. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    description = "Lists the devices that --device can name.")
final class DevicesCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (CpuBackend cpu = new CpuBackend(Runtime.getRuntime().availableProcessors());
        ReferenceBackend reference = new ReferenceBackend()) {
      out.printf("%-10s %s (default)%n", cpu.name(), cpu.describe());
      out.printf("%-10s %s%n", reference.name(), reference.describe());
    }
    out.println();
    out.println(
        "GPUs need the TornadoVM backend, which this version does not have yet; nothing to install helps.");
    return 0;
  }
}
