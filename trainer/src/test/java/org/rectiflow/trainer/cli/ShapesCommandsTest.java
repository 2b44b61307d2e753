package org.rectiflow.trainer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.datasets.files.PictureFolder;
import org.rectiflow.datasets.shapes.CaptionMix;
import org.rectiflow.datasets.shapes.CaptionParser;
import org.rectiflow.datasets.shapes.HeldOut;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import picocli.CommandLine;

class ShapesCommandsTest {
  @TempDir private Path folder;

  private static String run(Subcommand command, Object... arguments) {
    StringWriter text = new StringWriter();
    CommandLine line =
        new CommandLine(command).setOut(new PrintWriter(text)).setErr(new PrintWriter(text));
    String[] words = Arrays.stream(arguments).map(Object::toString).toArray(String[]::new);
    line.parseArgs(words);
    try {
      assertThat(command.call()).isZero();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return text.toString();
  }

  @Test
  void picturesAreWrittenReadAndScored() throws IOException {
    Path out = folder.resolve("world");
    run(
        new ShapesCommand(),
        "--out",
        out,
        "--count",
        60,
        "--seed",
        4,
        "--rich",
        0.3,
        "--poor",
        0.3);
    assertThat(folder.resolve("world-overview.png")).exists();
    PictureFolder read = PictureFolder.open(out, 64);
    ShapesWorld world =
        new ShapesWorld(ShapesWorld.Settings.training(4, 60).with(new CaptionMix(0.3, 0.3)));
    for (int i = 0; i < 60; i++) {
      assertThat(read.get(i).caption()).isEqualTo(world.get(i).caption());
      assertThat(read.get(i).picture().data()).isEqualTo(world.get(i).picture().data());
    }
    Path json = folder.resolve("score.json");
    Path csv = folder.resolve("score.csv");
    String table = run(new ScoreCommand(), out, "--json", json, "--csv", csv, "--details");
    System.out.println(table.substring(table.indexOf("category")));
    assertThat(table).contains("exact").contains("Overall").contains("100.00%");
    assertThat(Json.readObject(json).path("overall").asDouble()).isEqualTo(1);
    assertThat(csv).content().contains("Overall,,,,1.0,1.0");
  }

  @Test
  void promptsMayComeFromAFileOrThePicture() throws IOException {
    Path out = folder.resolve("world");
    run(new ShapesCommand(), "--out", out, "--count", 2, "--seed", 4);
    Files.delete(out.resolve(PictureFolder.METADATA));
    assertThat(run(new ScoreCommand(), out, "--details")).contains("exact");
    Path prompts = folder.resolve("prompts.txt");
    Files.writeString(prompts, "\na star\n\na red cat\n");
    assertThatThrownBy(() -> run(new ScoreCommand(), out, "--prompts", prompts))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(prompts + ", line 4, for 00000001.png")
        .hasMessageContaining("found 'cat'");
    Files.writeString(prompts, "a star\na red circle\n");
    assertThat(run(new ScoreCommand(), out, "--prompts", prompts))
        .contains("warning: 2 of 2 pictures", "00000000.png was drawn for \"");
    Files.writeString(prompts, "a star\n");
    assertThatThrownBy(() -> run(new ScoreCommand(), out, "--prompts", prompts))
        .hasMessageContaining("1 prompts for 2 pictures");
    Path metadata = out.resolve(PictureFolder.METADATA);
    Files.writeString(metadata, "{\"file_name\": \"00000001.png\", \"text\": \"a red cat\"}\n");
    assertThatThrownBy(() -> run(new ScoreCommand(), out))
        .hasMessageContaining(metadata + ", line 1, for 00000001.png");
  }

  @Test
  void heldOutPromptsArePrinted() {
    List<String> lines = run(new ShapesCommand(), "--prompts", 3).lines().toList();
    assertThat(lines).hasSize(18).allMatch(text -> HeldOut.contains(CaptionParser.parse(text)));
  }

  @Test
  void whatCannotBeIsRefused() throws IOException {
    assertThatThrownBy(() -> run(new ShapesCommand()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--out");
    assertThatThrownBy(() -> run(new ShapesCommand(), "--out", folder))
        .hasMessageContaining("exists already");
    assertThatThrownBy(() -> run(new ScoreCommand(), folder))
        .hasMessageContaining("no PNG or JPEG files");
    assertThatThrownBy(() -> run(new ScoreCommand(), folder.resolve("none")))
        .hasMessageContaining("there is no file or folder");
    Path text = Files.writeString(folder.resolve("prompts.txt"), "a red circle");
    assertThatThrownBy(() -> run(new ScoreCommand(), text))
        .hasMessageContaining("prompts.txt is not a .png, .jpg or .jpeg file");
    assertThatThrownBy(() -> run(new ScoreCommand(), folder, "--csv", folder))
        .hasMessageContaining("--csv " + folder + " is a folder");
    assertThatThrownBy(() -> run(new ScoreCommand(), folder, "--json", text.resolve("x")))
        .hasMessageContaining("prompts.txt is a file, not a folder");
    Path world = folder.resolve("world");
    assertThatThrownBy(() -> run(new ShapesCommand(), "--out", world, "--size", 100_000))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("at most 4096, found 100000");
    assertThatThrownBy(() -> run(new ShapesCommand(), "--out", world, "--count", 0))
        .hasMessageContaining("--count must be at least 1, got 0");
    assertThatThrownBy(() -> run(new ShapesCommand(), "--prompts", -1))
        .hasMessageContaining("--prompts must be at least 1, got -1");
    assertThatThrownBy(() -> run(new ShapesCommand(), "--prompts", 1, "--out", world))
        .hasMessageContaining("leave out one");
    assertThat(world).doesNotExist();
  }

  /** The overview beside them is of as many as fit. */
  @Test
  void largePicturesAreDrawnToo() throws IOException {
    Path out = folder.resolve("large");
    run(new ShapesCommand(), "--out", out, "--count", 3, "--size", 3000);
    assertThat(ImageIO.read(out.resolve("00000002.png").toFile()).getWidth()).isEqualTo(3000);
    Path sheet = folder.resolve("large-overview.png");
    assertThat(ImageIO.read(sheet.toFile()).getWidth()).isBetween(3000, 3100);
  }
}
