package org.rectiflow.pipeline.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.picture.Picture.Rounding;

class PngFileTest {
  @TempDir private Path folder;

  @Test
  void pixelsAndTextComeBack() throws IOException {
    byte[] rgb = new byte[3 * 7 * 5];
    new Random(1).nextBytes(rgb);
    Map<String, String> text = new LinkedHashMap<>();
    text.put("Software", "Rectiflow");
    text.put("Description", "naïve 星 \"quoted\"\nsecond line");
    Path file = folder.resolve("new/picture.png");

    PngFile.write(file, new Picture(7, 5, rgb), text);

    assertThat(PngFile.readText(file)).isEqualTo(text);
    var image = ImageIO.read(file.toFile());
    for (int i = 0; i < 35; i++) {
      int expected = (rgb[3 * i] & 255) << 16 | (rgb[3 * i + 1] & 255) << 8 | rgb[3 * i + 2] & 255;
      assertThat(image.getRGB(i % 7, i / 7) & 0xffffff).isEqualTo(expected);
    }
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    Picture picture = new Picture(1, 1, new byte[3]);

    assertThatThrownBy(() -> PngFile.write(file.resolve("x.png"), picture, Map.of()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot write in the folder " + file);
  }

  @Test
  void aFileThatIsNoPngIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("text.png"), "no picture");
    assertThatThrownBy(() -> PngFile.readText(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file + " cannot be read as a PNG file");
    Path nowhere = folder.resolve("nowhere.png");
    assertThatThrownBy(() -> PngFile.readText(nowhere)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void levels() {
    float half = 2 * (127.5f / 255) - 1;
    Tensor pixels =
        Tensor.of(new float[] {-1, 1, half, -7, 3, 0.999f, 0, 0, 0, 0, 0, 0}, 1, 3, 2, 2);

    byte[] nearest = Picture.of(pixels, Rounding.NEAREST).rgb();
    byte[] down = Picture.of(pixels, Rounding.DOWN).rgb();

    assertThat(nearest[0] & 255).isZero();
    assertThat(nearest[3] & 255).isEqualTo(255);
    assertThat(nearest[6] & 255).isEqualTo(128); // ties to even
    assertThat(down[6] & 255).isEqualTo(127);
    assertThat(nearest[9] & 255).isZero();
    assertThat(nearest[1] & 255).isEqualTo(255);
    assertThat(nearest[4] & 255).isEqualTo(255);
    assertThat(down[4] & 255).isEqualTo(254);
  }
}
