package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.checkpoint.StoredPart.Layout;
import org.rectiflow.safetensors.SafetensorsException;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/**
 * What a file or folder is, told from headers and shapes; data is not read.
 *
 * @param path the file or folder
 * @param what its name: {@code SD3-medium}, {@code T5-v1.1-XXL encoder}, {@code a LoRA ...}
 * @param layout how it is stored
 * @param parts the parts of a model that are there, by the name of their folder in diffusers'
 *     layout; or everything in the file under {@code file}
 * @param missing parts and tokenizers that are not there, each with how to supply it
 * @param tokenizers where they are
 * @param metadata the {@code __metadata__} of the file, or of all files together
 * @param problems why it cannot be used as it is, if that is so
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Inspection(
    String path,
    String what,
    String layout,
    Map<String, PartReport> parts,
    Map<String, String> missing,
    Map<String, String> tokenizers,
    Map<String, String> metadata,
    List<String> problems) {

  /**
   * One part.
   *
   * @param what its name
   * @param sizes what its shapes say
   * @param files where it is stored
   * @param bytes of its tensors
   * @param dtypes elements by stored type
   * @param problems a tensor that is missing, misshaped or left over, or another reason why the
   *     part cannot be used
   * @param list each tensor's type and shape, where they were asked for
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record PartReport(
      String what,
      String sizes,
      List<String> files,
      int tensors,
      long parameters,
      long bytes,
      Map<String, Long> dtypes,
      List<String> problems,
      Map<String, String> list) {}

  /**
   * Looks at a model folder, a safetensors file or an index of shards.
   *
   * @param listed whether to list all tensors
   * @throws SafetensorsException if the file is damaged or of another kind
   * @throws CheckpointException if the folder holds nothing to look at
   */
  public static Inspection of(Path path, boolean listed) {
    if (Files.isDirectory(path) && !Files.exists(path.resolve("model_index.json"))) {
      return ofPlainFolder(path, listed);
    }
    if (Files.isDirectory(path)) {
      return ofModel(path, listed);
    }
    try (TensorSource source = TensorSource.open(path)) {
      FileContents contents = FileContents.of(source);
      if (isModel(contents)) {
        return ofModel(path, listed);
      }
      return ofFile(contents, listed);
    }
  }

  /**
   * Whether there is a whole model: a folder in diffusers' layout, or a single file with a
   * transformer.
   */
  public static boolean isModel(Path path) {
    if (Files.isDirectory(path)) {
      return true; // or the message that it is not one says more
    }
    try (TensorSource source = TensorSource.open(path)) {
      return isModel(FileContents.of(source));
    }
  }

  private static boolean isModel(FileContents contents) {
    StoredPart transformer = contents.parts().get(Part.TRANSFORMER);
    return transformer != null && transformer.layout() == Layout.ORIGINAL;
  }

  /** A part's folder, that of a pair of CLIPs, or the folder of many single files. */
  private static Inspection ofPlainFolder(Path folder, boolean listed) {
    if (ClipPairInspection.isPair(folder)) {
      return ClipPairInspection.of(folder, listed);
    }
    List<Path> indexes = Beside.filesIn(folder, ".index.json");
    List<Path> files = Beside.safetensorsIn(folder);
    if (indexes.size() == 1 || files.size() == 1) {
      return of(indexes.isEmpty() ? files.getFirst() : indexes.getFirst(), listed);
    }
    if (files.isEmpty()) {
      throw new CheckpointException(
          folder
              + " holds no model: it has neither model_index.json nor .safetensors files. Name the folder of a model, or a file.");
    }
    throw new CheckpointException(
        "%s has no model_index.json and holds %d .safetensors files (%s ...); inspect one of them"
            .formatted(folder, files.size(), files.getFirst().getFileName()));
  }

  private static Inspection ofModel(Path path, boolean listed) {
    try (Checkpoint checkpoint = Checkpoint.openLenient(path)) {
      Map<String, PartReport> parts = new LinkedHashMap<>();
      Map<String, String> missing = new LinkedHashMap<>();
      Map<String, String> tokenizers = new LinkedHashMap<>();
      Map<String, String> metadata = new TreeMap<>();
      String what = "a model";
      for (Part part : Part.values()) {
        try {
          Optional<OpenPart> open = checkpoint.part(part);
          if (open.isPresent()) {
            PartReport report = report(open.get(), listed);
            parts.put(part.folder(), report);
            open.get().stored().source().metadata().forEach(metadata::putIfAbsent);
            what = part == Part.TRANSFORMER ? report.what() : what;
          } else {
            missing.put(part.folder(), checkpoint.howToSupply(part));
          }
        } catch (SafetensorsException | CheckpointException e) {
          parts.put(part.folder(), broken(e.getMessage()));
        }
        if (part.isEncoder()) {
          checkpoint
              .tokenizer(part)
              .ifPresentOrElse(
                  folder -> tokenizers.put(part.tokenizerFolder(), folder.toString()),
                  () -> missing.put(part.tokenizerFolder(), checkpoint.howToSupplyTokenizer(part)));
        }
      }
      return new Inspection(
          path.toString(),
          what,
          checkpoint.layout(),
          parts,
          missing,
          tokenizers,
          metadata,
          checkpoint.problem().stream().toList());
    }
  }

  private static PartReport broken(String why) {
    return new PartReport("damaged", "", List.of(), 0, 0, 0, Map.of(), List.of(why), Map.of());
  }

  private static PartReport report(OpenPart part, boolean listed) {
    TensorSummary summary = part.stored().summary(listed);
    Architecture architecture = new Architecture("not known", "");
    Optional<String> problem = problem(part);
    try {
      architecture = Architecture.of(part);
    } catch (CheckpointException e) {
      problem = Optional.of(e.getMessage());
    }
    return new PartReport(
        architecture.name(),
        architecture.sizes(),
        part.stored().source().files().stream().map(Path::toString).toList(),
        summary.tensors(),
        summary.parameters(),
        summary.bytes(),
        summary.dtypes(),
        problem.stream().toList(),
        summary.list());
  }

  /** A file that is a part of a model, or something else. */
  private static Inspection ofFile(FileContents contents, boolean listed) {
    TensorSource source = contents.source();
    Map<String, PartReport> parts = new LinkedHashMap<>();
    contents
        .parts()
        .forEach((part, stored) ->
            parts.put(part.folder(), report(new OpenPart(stored, Optional::empty), listed)));
    boolean isPart = contents.foreign().isEmpty() && parts.size() == 1;
    if (parts.isEmpty()) {
      TensorSummary all = TensorSummary.of(source, listed);
      parts.put(
          "file",
          new PartReport(
              contents.describe(),
              "",
              source.files().stream().map(Path::toString).toList(),
              all.tensors(),
              all.parameters(),
              all.bytes(),
              all.dtypes(),
              List.of(),
              all.list()));
    }
    return new Inspection(
        source.path().toString(),
        isPart ? parts.values().iterator().next().what() : contents.describe(),
        isPart ? "part of a model" : "safetensors file",
        parts,
        Map.of(),
        Map.of(),
        new TreeMap<>(source.metadata()),
        contents.foreign().map(Foreign::remedy).stream().toList());
  }

  /** Records the part's smallest graph: that asks for every tensor, and for no other. */
  private static Optional<String> problem(OpenPart part) {
    WeightSource weights = part.weights();
    try {
      switch (part.stored().part()) {
        case TRANSFORMER -> {
          MmditConfig c = MmditConfig.of(weights);
          new Mmdit(c, weights).graph(1, c.patchSize(), c.patchSize(), 1, false);
        }
        case VAE -> {
          VaeConfig c = part.vaeConfig();
          Autoencoder vae = new Autoencoder(c, weights);
          vae.decoder(1, 1, 1);
          vae.encoder(1, c.factor(), c.factor());
        }
        case CLIP_L, CLIP_G -> new ClipTextModel(part.clipConfig(), weights).graph(1, 1);
        case T5 -> new T5Encoder(part.t5Config(), weights).graph(1, 1);
      }
      return Optional.empty();
    } catch (CheckpointException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Whether it, or a part of it, cannot be used as it is. */
  public boolean hasProblem() {
    return !problems.isEmpty() || parts.values().stream().anyMatch(p -> !p.problems().isEmpty());
  }
}
