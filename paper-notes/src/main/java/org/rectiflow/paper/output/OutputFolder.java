package org.rectiflow.paper.output;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UserException;

/**
 * A folder that results are written to. Every file is written under a temporary name and then
 * renamed, so a reader sees whole files only.
 */
public final class OutputFolder {

  /** Device pixels of a PNG for each CSS pixel: 192 dots per inch, legible on paper. */
  private static final int PNG_SCALE = 2;

  /** A thousandth of a pixel is enough, and halves the files. */
  private static final Pattern LONG_DECIMALS = Pattern.compile("(\\d\\.\\d{3})\\d+");

  private final Path directory;

  /**
   * A folder, made when the first file is written.
   *
   * @throws UserException if a folder cannot be there
   */
  public OutputFolder(Path directory) {
    OutputPlace.requireFolder("--out", directory);
    this.directory = directory;
  }

  /** The folder. */
  public Path directory() {
    return directory;
  }

  /**
   * Writes all of a rendering: each picture as PNG and SVG, each table as CSV.
   *
   * @return the files written
   * @throws IOException if one cannot be written; the message names the folder
   */
  public List<Path> write(Rendering rendering) throws IOException {
    List<Path> files = new ArrayList<>();
    for (NamedPicture picture : rendering.pictures()) {
      files.add(writePng(picture));
      files.add(writeSvg(picture));
    }
    for (DataTable table : rendering.tables()) {
      files.add(writeText(table.name() + ".csv", table.csv()));
    }
    return List.copyOf(files);
  }

  /** Writes UTF-8 text. */
  public Path writeText(String fileName, String text) throws IOException {
    return write(fileName, file -> Files.writeString(file, text));
  }

  private Path writePng(NamedPicture named) throws IOException {
    Picture picture = named.picture();
    BufferedImage image =
        new BufferedImage(
            picture.width() * PNG_SCALE, picture.height() * PNG_SCALE, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    try {
      g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      g.setColor(Color.WHITE);
      g.fillRect(0, 0, image.getWidth(), image.getHeight());
      g.scale(PNG_SCALE, PNG_SCALE);
      picture.paint(g);
    } finally {
      g.dispose();
    }
    return write(named.name() + ".png", file -> ImageIO.write(image, "png", file.toFile()));
  }

  private Path writeSvg(NamedPicture named) throws IOException {
    Picture picture = named.picture();
    VectorGraphics2D g = new VectorGraphics2D();
    picture.paint(g);
    PageSize page = new PageSize(0, 0, picture.width(), picture.height());
    ByteArrayOutputStream svg = new ByteArrayOutputStream();
    Processors.get("svg").getDocument(g.getCommands(), page).writeTo(svg);
    String text = LONG_DECIMALS.matcher(svg.toString(StandardCharsets.UTF_8)).replaceAll("$1");
    return writeText(named.name() + ".svg", text);
  }

  private Path write(String fileName, AtomicFiles.Content content) throws IOException {
    Path target = directory.resolve(fileName);
    AtomicFiles.write(target, content);
    return target;
  }
}
