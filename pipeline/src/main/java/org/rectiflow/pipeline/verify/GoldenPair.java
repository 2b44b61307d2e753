package org.rectiflow.pipeline.verify;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.OverriddenCheckpoint;
import org.rectiflow.pipeline.checkpoint.Part;

/**
 * A golden file and a model that can answer it, as both lie in a folder.
 *
 * @param golden the golden file
 * @param model folder or file of the model
 * @param parts files that take the place of its parts
 * @param tokenizers the folder of the tokenizers, if the model has none
 */
public record GoldenPair(
    Path golden, Path model, Map<Part, Path> parts, Optional<Path> tokenizers) {

  /**
   * What {@code testdata} of the repository holds. The float16 and float8 T5 of the single files
   * answer different cases of one golden file.
   */
  public static List<GoldenPair> ofTestdata(Path testdata) {
    Path folder = testdata.resolve("models/tiny-sd3");
    Path single = testdata.resolve("models/tiny-sd3-single/mmdit_vae.safetensors");
    Path t5InFloat16 = folder.resolve("text_encoder_3/model.safetensors");
    Path singleGolden = testdata.resolve("golden/tiny-sd3-single.safetensors");
    return List.of(
        folder(testdata, "shapes", "shapes"),
        folder(testdata, "tiny-sd3", "tiny-sd3"),
        folder(testdata, "tiny-sd3-gradients", "tiny-sd3"),
        folder(testdata, "tiny-sd35m", "tiny-sd35m"),
        new GoldenPair(singleGolden, single, Map.of(), Optional.of(folder)),
        new GoldenPair(singleGolden, single, Map.of(Part.T5, t5InFloat16), Optional.of(folder)));
  }

  private static GoldenPair folder(Path testdata, String golden, String model) {
    return new GoldenPair(
        testdata.resolve("golden").resolve(golden + ".safetensors"),
        testdata.resolve("models").resolve(model),
        Map.of(),
        Optional.empty());
  }

  /** Opens the model. */
  public Checkpoint open() {
    return OverriddenCheckpoint.of(Checkpoint.open(model), parts, tokenizers);
  }

  /** For people: {@code shapes.safetensors: models/shapes}. */
  public String title(Path testdata) {
    StringBuilder text = new StringBuilder();
    text.append(golden.getFileName()).append(": ").append(testdata.relativize(model));
    parts.forEach((part, path) ->
        text.append(" ").append(part.flag()).append(" ").append(testdata.relativize(path)));
    return text.toString();
  }
}
