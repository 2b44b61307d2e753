package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.verify.Comparison;
import org.rectiflow.pipeline.verify.Verification;
import org.rectiflow.safetensors.TensorSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares with tensors that diffusers computed. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Recomputes every tensor of a golden file and compares.",
      "",
      "A golden file is a safetensors file of tensors that diffusers computed with the same model;"
          + " testdata/README.md describes its names. Exits with 1 if a tensor is beyond its"
          + " tolerance."
    },
    footer = {
      "",
      "Example:",
      "  rectiflow verify --model testdata/models/tiny-sd3 \\",
      "      --golden testdata/golden/tiny-sd3.safetensors"
    })
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions model;

  @Option(
      names = "--golden",
      required = true,
      paramLabel = "FILE",
      description = "The golden file.")
  private Path golden;

  @Option(
      names = "--dump",
      paramLabel = "FILE",
      description = "Write our own tensors under the same names, into a new file.")
  private Path dump;

  @Override
  public Integer call() throws Exception {
    if (dump != null) {
      OutputPlace.requireFile("--dump", dump);
      if (Files.exists(dump)) {
        throw new UserException(
            "--dump %s exists, and nothing is overwritten. Choose another name, or remove it first if it is not needed."
                .formatted(dump));
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    try (TensorSource source = TensorSource.open(golden);
        Checkpoint checkpoint = model.open();
        Backend backend = model.backend()) {
      out.printf("%-44s %12s %12s %10s%n", "tensor", "max abs", "max rel", "allowed");
      Verification result =
          checkpoint.guarded(() ->
              Verification.of(source, checkpoint, backend, comparison -> print(out, comparison)));
      result.leftOut().forEach(line -> out.println("left out  " + line));
      result.unknown().forEach(name -> out.println("not known " + name));
      if (dump != null) {
        Files.createDirectories(dump.toAbsolutePath().getParent());
        result.dump().metadata(source.metadata()).write(dump);
        out.println("wrote " + dump);
      }
      out.printf(
          "%d tensors compared, %d beyond tolerance, %d left out, %d not known%n",
          result.comparisons().size(),
          result.failed(),
          result.leftOut().size(),
          result.unknown().size());
      if (result.comparisons().isEmpty() && result.leftOut().isEmpty()) {
        out.printf("%s is no golden file: testdata/README.md describes them%n", golden);
      } else if (!result.passes()) {
        out.printf(
            "If all but a few fail, check that %s was computed with the model %s.%n",
            golden, checkpoint.path());
      }
      out.flush();
      return result.passes() ? 0 : 1;
    }
  }

  private static void print(PrintWriter out, Comparison c) {
    String allowed =
        switch (c.rule()) {
          case EQUAL -> "equal";
          case ABSOLUTE -> "%.0e abs".formatted(c.tolerance());
          case RELATIVE -> "%.0e rel".formatted(c.tolerance());
          case LEVELS -> "%.0f levels".formatted(c.tolerance());
        };
    out.printf(
        "%-44s %12.3e %12.3e %10s %s%n",
        c.name(), c.absolute(), c.relative(), allowed, c.passes() ? "ok" : "FAILED");
    out.flush();
  }
}
