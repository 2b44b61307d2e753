package org.rectiflow.datasets.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.evaluation.PixelImage;

/** Pictures and labels in two IDX files, as MNIST and Fashion-MNIST come; grey becomes RGB. */
public final class IdxDataset implements Dataset {
  /** Captions of MNIST's labels 0 to 9. */
  public static final List<String> DIGITS =
      captions(
          "a photo of the digit ",
          List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"));

  /** Captions of Fashion-MNIST's labels 0 to 9 (Xiao et al. 2017, Table 2). */
  public static final List<String> FASHION =
      List.of(
          "a photo of a t-shirt",
          "a photo of trousers",
          "a photo of a pullover",
          "a photo of a dress",
          "a photo of a coat",
          "a photo of a sandal",
          "a photo of a shirt",
          "a photo of a sneaker",
          "a photo of a bag",
          "a photo of an ankle boot");

  private final IdxFile pictures;
  private final IdxFile labels;
  private final List<String> captions;
  private final int side;

  private IdxDataset(IdxFile pictures, IdxFile labels, List<String> captions, int side) {
    this.pictures = pictures;
    this.labels = labels;
    this.captions = captions;
    this.side = side;
  }

  /** One beginning and many endings. */
  public static List<String> captions(String beginning, List<String> names) {
    return names.stream().map(beginning::concat).toList();
  }

  /**
   * Reads both files into memory.
   *
   * @param captions of label 0, 1 and so on
   * @param side to which the square in the middle of each picture is resized
   * @throws IOException if a file is none, the two have different numbers of examples, or a label
   *     has no caption
   */
  public static IdxDataset open(Path pictures, Path labels, List<String> captions, int side)
      throws IOException {
    if (side < 1) {
      throw new IllegalArgumentException("pictures need a positive side, found " + side);
    }
    IdxFile images = IdxFile.read(pictures, 3);
    IdxFile classes = IdxFile.read(labels, 1);
    int count = images.dimensions()[0];
    if (count != classes.dimensions()[0]) {
      throw new IOException(
          "%s has %d pictures, but %s has %d labels; do they belong together?"
              .formatted(pictures, count, labels, classes.dimensions()[0]));
    }
    for (int i = 0; i < count; i++) {
      int label = classes.values()[i] & 255;
      if (label >= captions.size()) {
        throw new IOException(
            "%s: example %d has label %d, but there are captions for 0 to %d only"
                .formatted(labels, i, label, captions.size() - 1));
      }
    }
    return new IdxDataset(images, classes, List.copyOf(captions), side);
  }

  @Override
  public int size() {
    return pictures.dimensions()[0];
  }

  /** The class of an example. */
  public int label(int index) {
    Objects.checkIndex(index, size());
    return labels.values()[index] & 255;
  }

  @Override
  public Example get(int index) {
    String caption = captions.get(label(index));
    int height = pictures.dimensions()[1];
    int width = pictures.dimensions()[2];
    float[] data = new float[3 * height * width];
    for (int i = 0; i < data.length; i++) {
      int pixel = index * height * width + i % (height * width);
      data[i] = (pictures.values()[pixel] & 255) / 255f;
    }
    PixelImage picture = new PixelImage(3, height, width, data);
    return new Example("%05d".formatted(index), caption, PictureSize.square(picture, side));
  }

  @Override
  public String fingerprint() {
    Fingerprint print = new Fingerprint().add("idx").add(side);
    captions.forEach(print::add);
    for (int size : pictures.dimensions()) {
      print.add(size);
    }
    return print.add(pictures.values()).add(labels.values()).hex();
  }
}
