package org.rectiflow.paper.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.io.UserException;
import org.w3c.dom.Element;

class OutputFolderTest {

  @TempDir Path directory;

  private static final Picture SQUARE =
      new Picture() {
        @Override
        public int width() {
          return 30;
        }

        @Override
        public int height() {
          return 20;
        }

        @Override
        public void paint(Graphics2D g) {
          g.setColor(Color.RED);
          g.fillRect(10, 5, 5, 5);
        }
      };

  private static Rendering rendering() {
    return new Rendering(
        List.of(new NamedPicture("square", "a red square", SQUARE)),
        List.of(DataTable.of("numbers", "Numbers", "n").row("1").build()),
        List.of());
  }

  @Test
  void writesPngSvgAndCsvAndLeavesNothingElse() throws Exception {
    Path target = directory.resolve("new/folder");
    List<Path> files = new OutputFolder(target).write(rendering());

    assertThat(files)
        .containsExactly(
            target.resolve("square.png"),
            target.resolve("square.svg"),
            target.resolve("numbers.csv"));
    try (var listed = Files.list(target)) {
      assertThat(listed).containsExactlyInAnyOrderElementsOf(files);
    }
    BufferedImage image = ImageIO.read(files.getFirst().toFile());
    assertThat(image.getWidth()).isEqualTo(60);
    assertThat(image.getHeight()).isEqualTo(40);
    assertThat(image.getRGB(25, 15)).isEqualTo(Color.RED.getRGB());
    assertThat(image.getRGB(5, 5)).isEqualTo(Color.WHITE.getRGB());
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
    Element svg = factory.newDocumentBuilder().parse(files.get(1).toFile()).getDocumentElement();
    assertThat(svg.getAttribute("viewBox")).isEqualTo("0 0 30 20");
    assertThat(svg.getElementsByTagName("rect").getLength()).isPositive();
    assertThat(files.get(2)).hasContent("n\n1\n");
  }

  @Test
  void replacesOlderFiles() throws IOException {
    Files.writeString(directory.resolve("numbers.csv"), "old");
    new OutputFolder(directory).write(rendering());
    assertThat(directory.resolve("numbers.csv")).hasContent("n\n1\n");
  }

  @Test
  void aFileInThePlaceOfTheFolderIsRefused() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");
    assertThatThrownBy(() -> new OutputFolder(file))
        .isInstanceOf(UserException.class)
        .hasMessage("--out %s: %s is a file, not a folder; choose another".formatted(file, file));
    assertThatThrownBy(() -> new OutputFolder(file.resolve("in/it")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file + " is a file, not a folder");
  }

  @Test
  void pictureNamesAreFileNames() {
    assertThatThrownBy(() -> new NamedPicture("a/b", "", SQUARE))
        .hasMessageContaining("found 'a/b'");
  }
}
