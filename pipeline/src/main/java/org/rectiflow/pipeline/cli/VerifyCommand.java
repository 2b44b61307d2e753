package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.io.Installation;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.verify.Verification;
import org.rectiflow.safetensors.TensorSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares with numbers that diffusers and torch computed. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Recomputes the numbers of golden files and compares.",
      "",
      "Without --golden: every golden file of the repository with the model it belongs to, a line"
          + " for each kind of tensor with the largest differences, in less than a minute.",
      "With --golden: one file and --model, a line for each tensor. A golden file is a safetensors"
          + " file of tensors that diffusers computed with the same model; testdata/README.md"
          + " describes its names.",
      "",
      "Exits with 1 if a number is beyond its tolerance."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow verify",
      "  rectiflow verify --device reference",
      "  rectiflow verify --model testdata/models/tiny-sd3 \\",
      "      --golden testdata/golden/tiny-sd3.safetensors"
    })
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions model;

  @Option(
      names = "--golden",
      paramLabel = "FILE",
      description = "The golden file of --model; default: all of the repository's.")
  private Path golden;

  @Option(
      names = "--dump",
      paramLabel = "FILE",
      description = "Write our own tensors under the same names, into a new file.")
  private Path dump;

  @Override
  public Integer call() throws Exception {
    if (golden == null && (dump != null || model.isNamed())) {
      throw new UsageException(
          "%s goes with --golden, a file of what diffusers computed with the model; without --golden the repository's own files and models are compared"
              .formatted(dump != null ? "--dump" : "--model"));
    }
    OutputPlace.requireFile("--dump", dump);
    if (dump != null && Files.exists(dump)) {
      throw new UserException(
          "--dump %s exists, and nothing is overwritten. Choose another name, or remove it first if it is not needed."
              .formatted(dump));
    }
    PrintWriter out = spec.commandLine().getOut();
    boolean passes = golden == null ? everything(out) : one(out);
    out.flush();
    return passes ? 0 : 1;
  }

  private boolean everything(PrintWriter out) throws Exception {
    Path testdata =
        Installation.folder("testdata")
            .orElseThrow(() ->
                new UserException(
                    "where the repository's golden files are only run.sh knows: start rectiflow through it, or name one with --golden, and its model with --model"));
    try (Backend backend = model.backend()) {
      return new VerifyAll(testdata, backend, out).run();
    }
  }

  private boolean one(PrintWriter out) throws Exception {
    try (TensorSource source = TensorSource.open(golden);
        Checkpoint checkpoint = model.open();
        Backend backend = model.backend()) {
      VerifyLines.heading(out, "tensor");
      Verification result =
          checkpoint.guarded(
              () -> Verification.of(source, checkpoint, backend, c -> VerifyLines.print(out, c)));
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
      return result.passes();
    }
  }
}
