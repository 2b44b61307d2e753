package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.TensorSummary;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.safetensors.TensorSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a file or folder is. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Says what a model folder, a safetensors file or a picture holds.",
      "",
      "Of a picture drawn by rectiflow it prints how it was made."
    })
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "PATH",
      description = "A model folder, a .safetensors file, a shard index (.json), or a .png file.")
  private Path path;

  @Option(names = "--tensors", description = "List every tensor.")
  private boolean tensors;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(path)) {
      throw new UserException(path + ": no such file or folder");
    }
    PrintWriter out = spec.commandLine().getOut();
    if (path.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      picture(out);
    } else if (Files.isDirectory(path)) {
      folder(out);
    } else {
      try (TensorSource source = TensorSource.open(path)) {
        print(out, Map.of("file", Optional.of(TensorSummary.of(source, tensors))));
      }
    }
    out.flush();
    return 0;
  }

  private void picture(PrintWriter out) throws IOException {
    Map<String, String> text = PngFile.readText(path);
    if (!text.containsKey("rectiflow")) {
      throw new UserException(path + " does not say how it was made: rectiflow did not draw it");
    }
    out.println(text.get("rectiflow"));
  }

  private void folder(PrintWriter out) {
    try (Checkpoint checkpoint = DiffusersFolder.open(path)) {
      Map<String, Optional<TensorSummary>> parts = new LinkedHashMap<>();
      for (Part part : Part.values()) {
        parts.put(part.folder(), checkpoint.summary(part, tensors));
      }
      print(out, parts);
    }
  }

  private void print(PrintWriter out, Map<String, Optional<TensorSummary>> parts) {
    if (json) {
      Map<String, Object> all = new LinkedHashMap<>();
      parts.forEach((name, part) -> all.put(name, part.orElse(null)));
      out.println(Json.pretty(all));
      return;
    }
    parts.forEach((name, part) ->
        part.ifPresentOrElse(
            summary -> print(out, name, summary), () -> out.printf("%-16s missing%n", name)));
  }

  private static void print(PrintWriter out, String name, TensorSummary summary) {
    out.printf(
        Locale.ROOT,
        "%-16s %d tensors, %,d parameters, %.1f MB, elements by type %s%n",
        name,
        summary.tensors(),
        summary.parameters(),
        summary.bytes() / 1e6,
        summary.dtypes());
    if (!summary.metadata().isEmpty()) {
      out.printf("%-16s metadata %s%n", "", summary.metadata());
    }
    summary.list().forEach((tensor, what) -> out.printf("  %-80s %s%n", tensor, what));
  }
}
