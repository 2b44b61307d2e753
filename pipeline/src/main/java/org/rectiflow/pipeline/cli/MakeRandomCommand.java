package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.RandomModel;
import org.rectiflow.pipeline.convert.Release;
import org.rectiflow.pipeline.convert.TargetLayout;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.safetensors.DType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes checkpoints of the released sizes with random weights. */
@Command(
    name = "make-random",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes a checkpoint of a released model's sizes with random weights, to measure time and memory.",
      "",
      "What it draws is noise. Tokenizers are not made: name some with --tokenizers where it is used."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow make-random sd3-medium big/ --t5 F16      15.6 GB, diffusers' layout",
      "  rectiflow make-random sd35-large large.safetensors --sparse",
      "  rectiflow generate x --model big/ --tokenizers testdata/models/tiny-sd3"
    })
final class MakeRandomCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "sd3-medium, sd35-medium or sd35-large.")
  private String model;

  @Parameters(
      index = "1",
      paramLabel = "TARGET",
      description = "A new folder, or the name of a new .safetensors file.")
  private Path target;

  @Option(
      names = "--layout",
      paramLabel = "NAME",
      description =
          "${COMPLETION-CANDIDATES}; default: single if TARGET ends in .safetensors, else diffusers.")
  private TargetLayout layout;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "F16",
      description = "The weights' type; default: ${DEFAULT-VALUE}.")
  private DType dtype;

  @Option(
      names = "--t5",
      paramLabel = "TYPE",
      description = "Also write a T5-XXL encoder, 4.8 billion weights of this type.")
  private DType t5;

  @Option(
      names = "--blocks",
      paramLabel = "N",
      description =
          "Write only the first N blocks of the transformer, for measuring some; default: all.")
  private Integer blocks;

  @Option(names = "--no-clip", description = "Leave the CLIPs out.")
  private boolean noClip;

  @Option(
      names = "--sparse",
      description =
          "Matrices are zeros that take no space on the disk: for looking, not for drawing.")
  private boolean sparse;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Default: 0.")
  private long seed;

  @Override
  public Integer call() throws IOException {
    Map<Part, DType> dtypes = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      boolean clip = part == Part.CLIP_L || part == Part.CLIP_G;
      if (part != Part.T5 && !(clip && noClip)) {
        dtypes.put(part, dtype);
      }
    }
    if (t5 != null) {
      dtypes.put(Part.T5, t5);
    }
    Release release = release();
    int depth = blocks == null ? release.blocks() : blocks;
    if (depth < 1 || depth > release.blocks()) {
      throw new UsageException(
          "--blocks must be 1 to %d for %s, got %d".formatted(release.blocks(), model, depth));
    }
    TargetLayout chosen = ConvertCommand.layout(layout, target);
    try (ConsoleProgress progress = ConsoleProgress.onStandardError()) {
      new RandomModel(release, depth, dtypes, sparse, seed).write(target, chosen, progress);
    }
    spec.commandLine().getOut().println(target);
    return 0;
  }

  private Release release() {
    for (Release release : Release.values()) {
      if (release.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(model)) {
        return release;
      }
    }
    throw new UsageException(
        "there is no model %s; choose one of %s"
            .formatted(model, List.of("sd3-medium", "sd35-medium", "sd35-large")));
  }
}
