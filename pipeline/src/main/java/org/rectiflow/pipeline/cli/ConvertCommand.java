package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Inspection;
import org.rectiflow.pipeline.checkpoint.OverriddenCheckpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.Conversion;
import org.rectiflow.pipeline.convert.TargetLayout;
import org.rectiflow.pipeline.io.Bytes;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.TensorSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a checkpoint in another layout or type. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes a checkpoint in another layout or with other types.",
      "",
      "A model goes to a folder in diffusers' layout, to one file in the original layout, or to"
          + " files for its parts; any other safetensors file keeps its names. In the same type the"
          + " bits stay the same, and the way there and back restores everything. Nothing is"
          + " overwritten."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow convert sd3_medium.safetensors sd3/ --tokenizers SD3_FOLDER",
      "  rectiflow convert SD3_FOLDER sd3.safetensors --part-dtype t5=F8_E4M3",
      "  rectiflow convert sd3/ sd3-bf16/ --dtype BF16 --max-shard-size 2GB",
      "  rectiflow convert t5xxl_fp16.safetensors t5xxl_fp8.safetensors --dtype F8_E4M3"
    })
final class ConvertCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "SOURCE",
      description = "A model folder, or a .safetensors file.")
  private Path source;

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
      description =
          "F32, F16, BF16, F8_E4M3 or F8_E5M2; default: as stored. With the eight-bit types, norms and biases stay as stored.")
  private DType dtype;

  @Option(
      names = "--part-dtype",
      paramLabel = "PART=TYPE",
      description =
          "The type of one part: transformer, vae, clip-l, clip-g or t5. May be given for several.")
  private Map<String, DType> partDtypes = Map.of();

  @Option(
      names = "--parts",
      split = ",",
      paramLabel = "PART",
      description = "Which parts to write; default: all that are there.")
  private List<String> parts = List.of();

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      description =
          "Split the parts of a diffusers folder into files of at most this, such as 5GB.")
  private String maxShardSize;

  @Mixin private PartOptions partOptions;

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(source)) {
      throw new UserException(source + ": no such file or folder");
    }
    if (Inspection.isModel(source)) {
      model();
    } else {
      file();
    }
    return 0;
  }

  private void model() throws IOException {
    TargetLayout chosen = layout(layout, target);
    if (chosen != TargetLayout.DIFFUSERS && maxShardSize != null) {
      throw new UsageException("--max-shard-size goes with the layout diffusers only");
    }
    Map<Part, DType> dtypes = new EnumMap<>(Part.class);
    partDtypes.forEach((name, type) -> dtypes.put(part("--part-dtype", name), type));
    Set<Part> wanted = EnumSet.noneOf(Part.class);
    parts.forEach(name -> wanted.add(part("--parts", name)));
    Conversion conversion =
        new Conversion(
            chosen,
            Optional.ofNullable(dtype),
            dtypes,
            maxShardSize == null
                ? OptionalLong.empty()
                : OptionalLong.of(Bytes.parse("--max-shard-size", maxShardSize)),
            wanted.isEmpty() ? EnumSet.allOf(Part.class) : wanted);
    try (Checkpoint checkpoint = partOptions.open(source);
        ConsoleProgress progress = ConsoleProgress.onStandardError()) {
      wanted.forEach(checkpoint::require);
      if (checkpoint instanceof OverriddenCheckpoint mixed) {
        mixed.requireFit();
      }
      report(chosen, conversion.write(checkpoint, target, progress), checkpoint);
    }
  }

  /** The layout that was asked for, or that the target's name asks for. */
  static TargetLayout layout(TargetLayout asked, Path target) {
    boolean file = isFileName(target);
    TargetLayout chosen =
        asked != null ? asked : file ? TargetLayout.SINGLE : TargetLayout.DIFFUSERS;
    if ((chosen == TargetLayout.SINGLE) != file) {
      throw new UsageException(
          "the layout %s is a %s: TARGET must %send in .safetensors, found %s"
              .formatted(
                  chosen.name().toLowerCase(Locale.ROOT),
                  chosen == TargetLayout.SINGLE ? "file" : "folder",
                  chosen == TargetLayout.SINGLE ? "" : "not ",
                  target));
    }
    return chosen;
  }

  private void report(TargetLayout chosen, Conversion.Written written, Checkpoint from) {
    PrintWriter out = spec.commandLine().getOut();
    written
        .parts()
        .forEach((part, bytes) -> out.printf("%-12s %s%n", part.title(), Bytes.text(bytes)));
    for (Part part : written.missing()) {
      if (parts.isEmpty()) {
        out.printf("%-12s left out: %s has none%n", part.title(), from.path());
      }
    }
    boolean single = chosen == TargetLayout.SINGLE;
    if (single
        ? written.parts().keySet().stream().anyMatch(Part::isEncoder)
        : !written.tokenizers()) {
      out.println(
          single
              ? "A single file has no place for tokenizers: name their folder with --tokenizers."
              : "Tokenizers are missing: copy the folders tokenizer, tokenizer_2 and tokenizer_3 of any SD3 model there, or name them with --tokenizers.");
    }
    out.println(target);
    out.flush();
  }

  private void file() throws IOException {
    if (layout != null || !parts.isEmpty() || !partDtypes.isEmpty() || maxShardSize != null) {
      throw new UsageException(
          source
              + " is no whole model: of the options only --dtype has a meaning then. `rectiflow inspect` says what it is.");
    }
    if (!isFileName(target)) {
      throw new UsageException(
          "%s becomes one file: TARGET must end in .safetensors, found %s"
              .formatted(source, target));
    }
    try (TensorSource open = TensorSource.open(source)) {
      Conversion.file(open, target, Optional.ofNullable(dtype));
    }
    spec.commandLine().getOut().println(target);
  }

  private static boolean isFileName(Path path) {
    return path.toString().endsWith(".safetensors");
  }

  private static Part part(String flag, String name) {
    for (Part part : Part.values()) {
      if (name.equals(part == Part.TRANSFORMER ? "transformer" : part.flag().substring(2))) {
        return part;
      }
    }
    throw new UsageException(
        "%s: there is no part %s; the parts are transformer, vae, clip-l, clip-g and t5"
            .formatted(flag, name));
  }
}
