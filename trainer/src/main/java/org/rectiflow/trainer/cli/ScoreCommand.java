package org.rectiflow.trainer.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.rectiflow.datasets.files.PictureFile;
import org.rectiflow.datasets.files.PictureFolder;
import org.rectiflow.datasets.shapes.CaptionParser;
import org.rectiflow.datasets.shapes.ShapePrompt;
import org.rectiflow.datasets.shapes.ShapesScore;
import org.rectiflow.datasets.shapes.Verdict;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.pipeline.cli.PromptLines;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.TextFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.picture.PngFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Scores pictures of the shapes world by their prompts. */
@Command(
    name = "score",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Says whether pictures of coloured shapes show what their prompts ask for: GenEval's score, with rules that read a picture in the place of a detector.",
    footer = {
      "",
      "A picture's prompt is, in this order: its line in --prompts; \"prompt\" or else",
      "\"text\" in its folder's metadata.jsonl; the prompt that `generate` wrote into the",
      "PNG file.",
      "correct: what is asked for is there (GenEval's rule). exact: and nothing else.",
      "",
      "Pictures that `generate --prompts` drew need no --prompts here: they carry theirs.",
      "",
      "Examples:",
      "  rectiflow shapes --prompts 20 > prompts.txt",
      "  rectiflow generate --prompts prompts.txt --out drawn",
      "  rectiflow score drawn --details"
    })
public final class ScoreCommand implements Subcommand {
  @Spec private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "DIR|FILE",
      description = "Folders of pictures, or pictures.")
  private List<Path> places;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Prompts, a line each, for the pictures in the order of their names.")
  private Path prompts;

  @Option(names = "--csv", paramLabel = "FILE", description = "Also write the table as CSV.")
  private Path csv;

  @Option(names = "--json", paramLabel = "FILE", description = "Also write everything as JSON.")
  private Path json;

  @Option(names = "--details", description = "Also print what is in each picture.")
  private boolean details;

  @Override
  public Integer call() throws IOException {
    OutputPlace.requireFile("--csv", csv);
    OutputPlace.requireFile("--json", json);
    List<Path> pictures = pictures();
    List<ShapePrompt> asked = prompts(pictures);
    List<Verdict> verdicts = new ArrayList<>();
    PrintWriter output = spec.commandLine().getOut();
    for (int i = 0; i < pictures.size(); i++) {
      Verdict verdict = ShapesScore.judge(asked.get(i), PictureFile.read(pictures.get(i)));
      verdicts.add(verdict);
      if (details) {
        output.printf(
            "%-8s %s: asked for %s, found %s%n",
            word(verdict), pictures.get(i), verdict.prompt().text(), verdict.found());
      }
    }
    ShapesScore score = ShapesScore.of(verdicts);
    output.print(table(score));
    output.flush();
    if (csv != null) {
      AtomicFiles.write(csv, temporary -> Files.writeString(temporary, score.csv()));
    }
    if (json != null) {
      String text = Json.pretty(everything(pictures, verdicts, score)) + "\n";
      AtomicFiles.write(json, temporary -> Files.writeString(temporary, text));
    }
    return 0;
  }

  private static String word(Verdict verdict) {
    if (verdict.exact()) {
      return "exact";
    }
    return verdict.correct() ? "correct" : "wrong";
  }

  private List<Path> pictures() throws IOException {
    List<Path> pictures = new ArrayList<>();
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        try (Stream<Path> files = Files.list(place)) {
          files
              .filter(f -> PictureFile.isPicture(f) && !f.getFileName().toString().startsWith("."))
              .sorted()
              .forEach(pictures::add);
        }
      } else if (!Files.exists(place)) {
        throw new UserException("there is no file or folder " + place);
      } else if (PictureFile.isPicture(place)) {
        pictures.add(place);
      } else {
        throw new UserException(place + " is not a .png, .jpg or .jpeg file; score reads pictures");
      }
    }
    if (pictures.isEmpty()) {
      throw new UserException(
          "there are no PNG or JPEG files in %s; `rectiflow generate --prompts FILE --out DIR` draws some"
              .formatted(places.stream().map(Path::toString).collect(Collectors.joining(", "))));
    }
    return pictures;
  }

  private List<ShapePrompt> prompts(List<Path> pictures) throws IOException {
    List<ShapePrompt> asked = new ArrayList<>();
    if (prompts != null) {
      List<PromptLines.Line> lines = PromptLines.numbered(prompts);
      if (lines.size() != pictures.size()) {
        throw new UserException(
            "%s has %d prompts for %d pictures; it needs a line for each"
                .formatted(prompts, lines.size(), pictures.size()));
      }
      for (int i = 0; i < lines.size(); i++) {
        PromptLines.Line line = lines.get(i);
        String origin = "%s, line %d".formatted(prompts, line.number());
        asked.add(parse(new Caption(line.text(), origin), pictures.get(i)));
      }
      warnOfOthers(lines, pictures);
      return asked;
    }
    Map<Path, Map<String, Caption>> folders = new LinkedHashMap<>();
    for (Path picture : pictures) {
      Path folder = picture.toAbsolutePath().getParent();
      if (!folders.containsKey(folder)) {
        folders.put(folder, captions(folder.resolve(PictureFolder.METADATA)));
      }
      String name = picture.getFileName().toString();
      Caption caption = folders.get(folder).get(name);
      if (caption == null) {
        String text = own(picture);
        caption = text == null ? null : new Caption(text, "the prompt in " + picture);
      }
      if (caption == null) {
        throw new UserException(
            "%s says nowhere what it should show; give the prompts with --prompts"
                .formatted(picture));
      }
      asked.add(parse(caption, picture));
    }
    return asked;
  }

  /** Files are sorted by name, which is rarely the order they were drawn in. */
  private void warnOfOthers(List<PromptLines.Line> lines, List<Path> pictures) throws IOException {
    int others = 0;
    String first = "";
    for (int i = 0; i < pictures.size(); i++) {
      Path picture = pictures.get(i);
      String own = own(picture);
      if (own != null && !own.equals(lines.get(i).text())) {
        first = others > 0 ? first : "%s was drawn for \"%s\"".formatted(picture, own);
        others++;
      }
    }
    if (others > 0) {
      PrintWriter err = spec.commandLine().getErr();
      err.printf(
          "rectiflow: warning: %d of %d pictures, in the order of their names, carry another prompt than their line of %s (%s). Without --prompts each is judged by its own.%n",
          others, pictures.size(), prompts, first);
      err.flush();
    }
  }

  /** The prompt that a picture carries; null if none. */
  private static String own(Path picture) throws IOException {
    return picture.toString().toLowerCase(Locale.ROOT).endsWith(".png")
        ? PngFile.readText(picture).get("Description")
        : null;
  }

  /**
   * What a picture should show.
   *
   * @param origin where that stands
   */
  private record Caption(String text, String origin) {}

  private static ShapePrompt parse(Caption caption, Path picture) {
    try {
      return CaptionParser.parse(caption.text());
    } catch (IllegalArgumentException e) {
      throw new UserException(
          "%s, for %s: %s".formatted(caption.origin(), picture.getFileName(), e.getMessage()), e);
    }
  }

  private static Map<String, Caption> captions(Path metadata) throws IOException {
    Map<String, Caption> captions = new LinkedHashMap<>();
    if (Files.exists(metadata)) {
      int number = 0;
      for (String line : TextFiles.read(metadata, "a JSON object in each line").lines().toList()) {
        number++;
        if (!line.isBlank()) {
          try {
            JsonNode entry = Json.parse(line);
            String text = entry.path("prompt").asText(entry.path("text").asText());
            captions.put(
                entry.path("file_name").asText(),
                new Caption(text, "%s, line %d".formatted(metadata, number)));
          } catch (JsonProcessingException e) {
            throw new UserException(
                "%s, line %d is not JSON: %s. Correct the line, or give the prompts with --prompts."
                    .formatted(metadata, number, e.getOriginalMessage()),
                e);
          }
        }
      }
    }
    return captions;
  }

  private static String table(ShapesScore score) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%-18s %8s %8s %8s %9s%n".formatted("category", "pictures", "correct", "exact", "rate"));
    for (GenEval.Task task : GenEval.Task.values()) {
      GenEval.Count count = score.correct().get(task);
      if (count != null) {
        text.append(
            String.format(
                Locale.ROOT,
                "%-18s %8d %8d %8d %8.2f%%%n",
                task.label(),
                count.total(),
                count.correct(),
                score.exact().get(task).correct(),
                100 * count.rate()));
      }
    }
    if (score.correct().size() == GenEval.Task.values().length) {
      text.append(
          String.format(
              Locale.ROOT,
              "%-45s %8.2f%%   (exact %.2f%%)%n",
              "Overall, the mean of the six",
              100 * score.overall(),
              100 * score.overallExact()));
    }
    return text.toString();
  }

  private static Map<String, Object> everything(
      List<Path> pictures, List<Verdict> verdicts, ShapesScore score) {
    List<Map<String, Object>> each = new ArrayList<>();
    for (int i = 0; i < pictures.size(); i++) {
      Map<String, Object> one = new LinkedHashMap<>();
      Verdict verdict = verdicts.get(i);
      one.put("file", pictures.get(i).toString());
      one.put("prompt", verdict.prompt().text());
      one.put("category", verdict.prompt().task().label());
      one.put("correct", verdict.correct());
      one.put("exact", verdict.exact());
      one.put("found", verdict.found());
      each.add(one);
    }
    Map<String, Object> categories = new LinkedHashMap<>();
    for (GenEval.Task task : GenEval.Task.values()) {
      if (score.correct().containsKey(task)) {
        categories.put(
            task.label(),
            Map.of(
                "pictures", score.correct().get(task).total(),
                "correct", score.correct().get(task).correct(),
                "exact", score.exact().get(task).correct()));
      }
    }
    Map<String, Object> all = new LinkedHashMap<>();
    if (categories.size() == GenEval.Task.values().length) {
      all.put("overall", score.overall());
      all.put("overall_exact", score.overallExact());
    }
    all.put("categories", categories);
    all.put("pictures", each);
    return all;
  }
}
