package org.rectiflow.datasets.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.datasets.Example;
import org.rectiflow.evaluation.PixelImage;

class PictureFolderTest {
  private static final int ORANGE = 0xfff58c18;

  @TempDir private Path folder;

  @BeforeEach
  void aFolderWithThreePictures() throws IOException {
    picture("b.png", BufferedImage.TYPE_INT_RGB, 40, 20, ORANGE);
    picture("deep/a.jpg", BufferedImage.TYPE_INT_RGB, 32, 32, ORANGE);
    picture("grey.png", BufferedImage.TYPE_BYTE_GRAY, 16, 16, 0);
    captions(
        """
        {"file_name": "grey.png", "text": "nothing", "more": 1}

        {"file_name": "b.png", "text": "an orange picture"}
        """);
    Files.writeString(
        folder.resolve("deep/metadata.jsonl"), "{\"file_name\":\"a.jpg\",\"text\":\"über\"}");
  }

  private void picture(String name, int type, int width, int height, int argb) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    BufferedImage image = new BufferedImage(width, height, type);
    for (int i = 0; i < width * height; i++) {
      if (type == BufferedImage.TYPE_BYTE_GRAY) {
        image.getRaster().setSample(i % width, i / width, 0, 128);
      } else {
        image.setRGB(i % width, i / width, argb);
      }
    }
    assertThat(ImageIO.write(image, name.substring(name.length() - 3), file.toFile())).isTrue();
  }

  private void captions(String text) throws IOException {
    Files.writeString(folder.resolve("metadata.jsonl"), text);
  }

  @Test
  void picturesAreReadInOrderAndResized() throws IOException {
    PictureFolder data = PictureFolder.open(folder, 8);
    assertThat(data.size()).isEqualTo(3);
    Example first = data.get(0);
    assertThat(first.id()).isEqualTo("b.png");
    assertThat(first.caption()).isEqualTo("an orange picture");
    assertThat(first.picture().width()).isEqualTo(8);
    assertThat(first.picture().height()).isEqualTo(8);
    assertThat(first.picture().at(0, 3, 3)).isCloseTo(245 / 255f, within(1e-6f));
    assertThat(first.picture().at(2, 7, 0)).isCloseTo(24 / 255f, within(1e-6f));
    assertThat(data.get(1).id()).isEqualTo("deep/a.jpg");
    assertThat(data.get(1).caption()).isEqualTo("über");
    assertThat(data.get(1).picture().at(1, 2, 2)).isCloseTo(140 / 255f, within(0.02f));
  }

  @Test
  void greyLevelsAreTakenAsTheyAre() throws IOException {
    assertThat(PictureFolder.open(folder, 8).get(2).picture().at(1, 4, 4))
        .isCloseTo(128 / 255f, within(1e-6f));
  }

  @Test
  void whatIsTransparentLiesOnWhite() throws IOException {
    picture("half.png", BufferedImage.TYPE_INT_ARGB, 4, 4, 0x80000000);
    PixelImage read = PictureFile.read(folder.resolve("half.png"));
    assertThat(read.at(0, 1, 1)).isCloseTo(127 / 255f, within(1e-6f));
  }

  @Test
  void badFoldersAreRefusedWithFileAndLine() throws IOException {
    assertThatThrownBy(() -> PictureFolder.open(folder.resolve("none"), 8))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("there is no folder")
        .hasMessageContaining("none");
    refused("{\"file_name\": \"b.png\", \"text\": \"x\"}", "grey.png has no caption");
    refused(
        "{\"file_name\":\"b.png\",\"text\":\"x\"}\n{\"file_name\":\"c.png\",\"text\":\"y\"}",
        "line 2: a caption without a picture: there is no file",
        "c.png");
    refused(
        "{\"file_name\":\"b.png\",\"text\":\"x\"}\n{\"file_name\":\"./b.png\",\"text\":\"y\"}",
        "line 2: the picture b.png has a caption already",
        "line 1");
    refused("{\"file_name\":\"b.png\"", "line 1 is not JSON");
    refused("{\"file_name\":\"b.png\",\"text\":7}", "line 1: expected an object with a text", "7");
    refused("{\"file_name\":\"../b.png\",\"text\":\"x\"}", "line 1", "outside the folder");
    Files.delete(folder.resolve("metadata.jsonl"));
    Files.delete(folder.resolve("deep/metadata.jsonl"));
    assertThatThrownBy(() -> PictureFolder.open(folder, 8))
        .hasMessageContaining("has no file metadata.jsonl");
  }

  private void refused(String captions, String... messages) throws IOException {
    captions(captions);
    assertThatThrownBy(() -> PictureFolder.open(folder, 8))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(messages);
  }

  @Test
  void unreadablePicturesAreNamed() throws IOException {
    Files.writeString(folder.resolve("b.png"), "no picture");
    PictureFolder data = PictureFolder.open(folder, 8);
    assertThatThrownBy(() -> data.get(0))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("b.png is neither a PNG nor a JPEG file");
    byte[] jpeg = Files.readAllBytes(folder.resolve("deep/a.jpg"));
    Files.write(folder.resolve("deep/a.jpg"), Arrays.copyOf(jpeg, 30));
    assertThatThrownBy(() -> data.get(1))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot read the picture")
        .hasMessageContaining("a.jpg");
  }

  @Test
  void theFingerprintFollowsPicturesAndCaptions() throws IOException {
    String before = PictureFolder.open(folder, 8).fingerprint();
    assertThat(PictureFolder.open(folder, 8).fingerprint()).isEqualTo(before);
    assertThat(PictureFolder.open(folder, 16).fingerprint()).isNotEqualTo(before);
    picture("b.png", BufferedImage.TYPE_INT_RGB, 40, 20, 0xff000000);
    assertThat(PictureFolder.open(folder, 8).fingerprint()).isNotEqualTo(before);
  }

  /** A fine pattern becomes even grey and not stripes; a ramp stays a ramp. */
  @Test
  void resizingDoesNotAlias() {
    float[] data = new float[3 * 60 * 64];
    for (int i = 0; i < data.length; i++) {
      data[i] = i % 2;
    }
    PixelImage small = PictureSize.square(new PixelImage(3, 60, 64, data), 10);
    for (float value : small.data()) {
      assertThat(value).isCloseTo(0.5f, within(0.03f));
    }
    float[] ramp = new float[3 * 32 * 32];
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = (i % 32 + 0.5f) / 32;
    }
    PixelImage half = PictureSize.square(new PixelImage(3, 32, 32, ramp), 16);
    float largest = 0;
    for (int x = 1; x < 15; x++) {
      largest = Math.max(largest, Math.abs(half.at(1, 5, x) - (x + 0.5f) / 16));
    }
    System.out.println("largest difference from the ramp: " + largest);
    assertThat(largest).isLessThan(1e-6f);
    assertThat(PictureSize.square(new PixelImage(3, 32, 32, ramp), 32).data()).isEqualTo(ramp);
  }
}
