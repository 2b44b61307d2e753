package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UsageException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures kernels. */
@Command(
    name = "profile",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs a model's parts on one or more devices and says where the time goes.",
      "",
      "Each part runs once cold (compilation and copies of weights included), then warm. Times of"
          + " kernels are the device's own where it measures them, for TornadoVM's devices; FLOPs"
          + " and bytes are the least an op can be done with. The roof is what the device does at"
          + " most, multiply-adds in registers and a copy larger than any cache, both measured in"
          + " the same run."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow profile --device cpu",
      "  rectiflow profile --device cpu,tornado --csv profile.csv --print-kernels DIR",
      "  rectiflow profile --device tornado --roofline roof --parts transformer"
    })
final class ProfileCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions model;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description = "Size in pixels; default: what the model was trained for.")
  private PictureSize size;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Warm runs of encoders and transformer; default: ${DEFAULT-VALUE}.")
  private int runs;

  @Option(
      names = "--parts",
      split = ",",
      paramLabel = "PART",
      description =
          "Some of encoders, transformer and decoder; default: all. Without encoders the transformer gets noise for a prompt, which takes as long.")
  private List<DeviceRun.ModelPart> parts = List.of(DeviceRun.ModelPart.values());

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write one line for each device, kernel and layer.")
  private Path csv;

  @Option(names = "--json", paramLabel = "FILE", description = "Write everything as JSON.")
  private Path json;

  @Option(
      names = "--roofline",
      paramLabel = "NAME",
      description = "Draw the roofline of all devices: NAME.png and NAME.svg.")
  private Path roofline;

  @Option(
      names = "--print-kernels",
      paramLabel = "DIR",
      description = "Write the OpenCL C or PTX that TornadoVM generates, a file for each kernel.")
  private Path kernels;

  @Override
  public Integer call() throws IOException {
    UsageException.requireAtLeast("--runs", 1, runs);
    OutputPlace.requireFile("--csv", csv);
    OutputPlace.requireFile("--json", json);
    if (roofline != null) {
      OutputPlace.requireFile(
          "--roofline", roofline.resolveSibling(roofline.getFileName() + ".png"));
    }
    OutputPlace.requireFolder("--print-kernels", kernels);
    List<DeviceRun> results = new ArrayList<>();
    PrintWriter out = spec.commandLine().getOut();
    Optional<Path> sources = Optional.ofNullable(kernels).map(Path::toAbsolutePath);
    for (String device : model.devices()) {
      try (Checkpoint checkpoint = model.open();
          Backend backend = model.backend(device, sources)) {
        int side = checkpoint.defaults().size();
        PictureSize pixels = size == null ? new PictureSize(side, side) : size;
        results.add(DeviceRun.of(checkpoint, backend, EnumSet.copyOf(parts), pixels, runs));
        ProfileReport.print(out, results.getLast());
        ProfileTable.overheads(out, backend.profile());
        out.flush();
      }
    }
    if (results.size() > 1) {
      ProfileReport.sideBySide(out, results);
    }
    out.flush();
    if (csv != null) {
      write(csv, ProfileReport.csv(results));
    }
    if (json != null) {
      write(json, Json.pretty(ProfileReport.json(results)) + "\n");
    }
    if (roofline != null) {
      RooflinePlot.write(roofline, results);
    }
    return 0;
  }

  private static void write(Path file, String text) throws IOException {
    AtomicFiles.write(file, temporary -> Files.writeString(temporary, text));
  }
}
