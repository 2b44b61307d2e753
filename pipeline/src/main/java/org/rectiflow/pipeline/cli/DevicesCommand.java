package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists what graphs can run on. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    description = {
      "Lists the devices that --device can name.",
      "Where TornadoVM is missing it says how to have it."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow devices",
      "  rectiflow generate \"a red star\" --device cpu",
      "  rectiflow profile --device cpu,tornado:0:1    two devices side by side"
    })
final class DevicesCommand implements Callable<Integer> {
  private static final String TORNADO = "tornado";

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    List<BackendProvider> providers = Backends.providers();
    for (BackendProvider provider : providers) {
      for (BackendProvider.Device device : provider.devices()) {
        String note = device.name().equals("cpu") ? " (default)" : "";
        out.printf("%-12s %s%s%n", device.name(), device.description(), note);
      }
      provider.missing().ifPresent(why -> out.printf("%n%s: %s%n", provider.name(), why));
    }
    if (providers.stream().noneMatch(provider -> provider.name().equals(TORNADO))) {
      out.printf(
          """

          GPUs run through TornadoVM, which is not here. To have it:
            1. Install an OpenCL driver for the device (for a CPU: apt install pocl-opencl-icd),
               or for NVIDIA the CUDA driver.
            2. Install the TornadoVM SDK for JDK 25, for example with SDKMAN (sdk install tornadovm),
               or from github.com/beehive-lab/TornadoVM, with its opencl or ptx backend.
            3. export TORNADOVM_HOME=FOLDER_OF_THE_SDK    (it holds the file tornado-argfile)
            4. ./run.sh devices
          """);
    }
    return 0;
  }
}
