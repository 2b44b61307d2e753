package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.rectiflow.pipeline.checkpoint.Inspection;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.picture.PngFile;
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
      "Of a model: its name, the parts it holds and those it lacks with how to supply them, types"
          + " and sizes. Exits with 1 if something in it is damaged or incomplete.",
      "Of a folder of a CLIP pair, as runs of task = \"clip\" write it: both towers and their"
          + " scale.",
      "Of a picture drawn by rectiflow it prints how it was made."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow inspect sd3_medium_incl_clips.safetensors",
      "  rectiflow inspect --tensors stable-diffusion-3.5-medium/transformer",
      "  rectiflow inspect --json MODEL"
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
    } else {
      Inspection found = Inspection.of(path, tensors);
      if (json) {
        out.println(Json.pretty(found));
      } else {
        InspectionText.print(out, found);
      }
      out.flush();
      return found.hasProblem() ? 1 : 0;
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
}
