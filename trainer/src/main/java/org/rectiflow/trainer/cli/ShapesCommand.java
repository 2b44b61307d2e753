package org.rectiflow.trainer.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.rectiflow.datasets.files.PictureFolder;
import org.rectiflow.datasets.shapes.CaptionMix;
import org.rectiflow.datasets.shapes.ShapesScore;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.datasets.shapes.ShapesWorld.Split;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.AtomicFolder;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.picture.PngFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes pictures of the shapes world into a folder. */
@Command(
    name = "shapes",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Draws pictures of coloured shapes with captions in GenEval's six categories.",
      "They go into a folder as Hugging Face's imagefolder has it, with an overview beside it."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow shapes --out data/shapes --count 1000 --seed 7",
      "  rectiflow shapes --out half --rich 0.5 --poor 0.5   the caption mix of Table 4",
      "  rectiflow shapes --prompts 10                       held-out prompts"
    })
public final class ShapesCommand implements Subcommand {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int COLUMNS = 8;
  private static final int LARGEST_SHEET = 64;
  private static final long SHEET_PIXELS = 1L << 24;
  private static final int MARGIN = 4;
  private static final byte BORDER = (byte) 220;

  @Spec private CommandSpec spec;

  @Option(names = "--out", paramLabel = "DIR", description = "A new folder.")
  private Path out;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "64",
      description = "Pictures to draw; default: ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "0",
      description = "Picture i follows from seed and i alone; default: 0.")
  private long seed;

  @Option(
      names = "--size",
      paramLabel = "PIXELS",
      defaultValue = "64",
      description = "Side of the pictures, 32 to 4096; default: ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = "--rich",
      paramLabel = "SHARE",
      defaultValue = "0",
      description = "Share of captions that say all there is to say; default: 0.")
  private double rich;

  @Option(
      names = "--poor",
      paramLabel = "SHARE",
      defaultValue = "0",
      description = "Share of captions that name one kind of shape only; default: 0.")
  private double poor;

  @Option(
      names = "--partial",
      paramLabel = "SHARE",
      defaultValue = "0",
      description =
          "Share of captions that leave out sizes, colours, places and relations at random;"
              + " default: 0.")
  private double partial;

  @Option(names = "--held-out", description = "Captions that are kept for evaluation.")
  private boolean heldOut;

  @Option(
      names = "--prompts",
      paramLabel = "N",
      description = "Draw nothing: print N held-out prompts of each category, a line each.")
  private Integer prompts;

  @Override
  public Integer call() throws IOException {
    PrintWriter output = spec.commandLine().getOut();
    UsageException.requireAtLeast("--prompts", 1, prompts);
    UsageException.requireAtLeast("--count", 1, count);
    if (prompts != null && out != null) {
      throw new UsageException(
          "--prompts prints, and draws nothing; leave out one of it and --out");
    }
    if (prompts != null) {
      ShapesScore.prompts(prompts, seed).forEach(prompt -> output.println(prompt.text()));
      output.flush();
      return 0;
    }
    if (out == null) {
      throw new UsageException("where to? Name a new folder with --out");
    }
    if (Files.exists(out)) {
      throw new UserException(out + " exists already; choose another folder with --out");
    }
    ShapesWorld world = new ShapesWorld(UsageException.checked(this::settings));
    AtomicFolder.write(out, folder -> draw(world, folder));
    Path sheet = out.resolveSibling(out.getFileName() + "-overview.png");
    PngFile.write(sheet, overview(world), Map.of("Title", "Shapes world, seed " + seed));
    output.println(out);
    output.println(sheet);
    output.flush();
    return 0;
  }

  private ShapesWorld.Settings settings() {
    return new ShapesWorld.Settings(
        seed,
        count,
        size,
        EnumSet.allOf(GenEval.Task.class),
        new CaptionMix(rich, poor, partial),
        heldOut ? Split.HELD_OUT : Split.TRAINING);
  }

  private static void draw(ShapesWorld world, Path folder) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < world.size(); i++) {
      String name = "%08d.png".formatted(i);
      ShapesWorld.Drawn drawn = world.drawn(i);
      PngFile.write(
          folder.resolve(name),
          picture(world.get(i).picture()),
          Map.of("Description", drawn.prompt().text()));
      ObjectNode line = MAPPER.createObjectNode();
      line.put("file_name", name);
      line.put("text", drawn.caption());
      line.put("prompt", drawn.prompt().text());
      line.put("category", drawn.prompt().task().label());
      lines.add(line.toString());
    }
    Files.write(folder.resolve(PictureFolder.METADATA), lines);
  }

  private static Picture picture(PixelImage image) {
    int pixels = image.width() * image.height();
    byte[] rgb = new byte[3 * pixels];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) Math.round(image.data()[i % 3 * pixels + i / 3] * 255);
    }
    return new Picture(image.width(), image.height(), rgb);
  }

  /** The first pictures side by side. */
  private static Picture overview(ShapesWorld world) {
    int side = world.settings().resolution();
    int fit = Math.clamp(SHEET_PIXELS / ((long) side * side), 1, LARGEST_SHEET);
    int shown = Math.min(fit, world.size());
    int columns = Math.min(COLUMNS, shown);
    int cell = side + MARGIN;
    int width = columns * cell + MARGIN;
    int height = Math.ceilDiv(shown, columns) * cell + MARGIN;
    byte[] rgb = new byte[3 * width * height];
    Arrays.fill(rgb, BORDER);
    for (int i = 0; i < shown; i++) {
      byte[] from = picture(world.get(i).picture()).rgb();
      for (int row = 0; row < side; row++) {
        int to = (i / columns * cell + MARGIN + row) * width + i % columns * cell + MARGIN;
        System.arraycopy(from, 3 * row * side, rgb, 3 * to, 3 * side);
      }
    }
    return new Picture(width, height, rgb);
  }
}
