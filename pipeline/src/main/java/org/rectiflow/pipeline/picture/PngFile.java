package org.rectiflow.pipeline.picture;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.w3c.dom.NodeList;

/** PNG files that carry text: how a picture was made. */
public final class PngFile {
  private static final String FORMAT = "javax_imageio_png_1.0";

  private PngFile() {}

  /**
   * Writes a picture under a temporary name and renames it.
   *
   * @param text entries of the file's international text chunks (iTXt), keyword to value
   */
  public static void write(Path file, Picture picture, Map<String, String> text)
      throws IOException {
    BufferedImage image =
        new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
    byte[] rgb = picture.rgb();
    for (int i = 0; i < picture.width() * picture.height(); i++) {
      int value = (rgb[3 * i] & 255) << 16 | (rgb[3 * i + 1] & 255) << 8 | (rgb[3 * i + 2] & 255);
      image.setRGB(i % picture.width(), i / picture.width(), value);
    }
    ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
    try {
      IIOMetadata metadata =
          writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), null);
      add(metadata, text);
      // Encoded before the file is touched: what fails then is the disk, and it says so.
      ByteArrayOutputStream png = new ByteArrayOutputStream();
      try (ImageOutputStream out = new MemoryCacheImageOutputStream(png)) {
        writer.setOutput(out);
        writer.write(new IIOImage(image, null, metadata));
      }
      AtomicFiles.write(file, temporary -> Files.write(temporary, png.toByteArray()));
    } finally {
      writer.dispose();
    }
  }

  private static void add(IIOMetadata metadata, Map<String, String> text)
      throws IIOInvalidTreeException {
    IIOMetadataNode chunks = new IIOMetadataNode("iTXt");
    text.forEach((keyword, value) -> {
      IIOMetadataNode entry = new IIOMetadataNode("iTXtEntry");
      entry.setAttribute("keyword", keyword);
      entry.setAttribute("compressionFlag", "FALSE");
      entry.setAttribute("compressionMethod", "0");
      entry.setAttribute("languageTag", "");
      entry.setAttribute("translatedKeyword", "");
      entry.setAttribute("text", value);
      chunks.appendChild(entry);
    });
    IIOMetadataNode root = new IIOMetadataNode(FORMAT);
    root.appendChild(chunks);
    metadata.mergeTree(FORMAT, root);
  }

  /**
   * The text entries of a PNG file, in order.
   *
   * @throws IOException if it cannot be read or is none; the message names it
   */
  public static Map<String, String> readText(Path file) throws IOException {
    try {
      return text(file);
    } catch (NoSuchFileException | AccessDeniedException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // Decoders answer some broken files with other exceptions than IOException.
      throw new IOException(
          "%s cannot be read as a PNG file, whatever its name: %s".formatted(file, e.getMessage()),
          e);
    }
  }

  private static Map<String, String> text(Path file) throws IOException {
    try (ImageInputStream in = ImageIO.createImageInputStream(Files.newInputStream(file))) {
      ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
      try {
        reader.setInput(in, false, false);
        IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(0).getAsTree(FORMAT);
        Map<String, String> text = new LinkedHashMap<>();
        NodeList entries = root.getElementsByTagName("iTXtEntry");
        for (int i = 0; i < entries.getLength(); i++) {
          IIOMetadataNode entry = (IIOMetadataNode) entries.item(i);
          text.put(entry.getAttribute("keyword"), entry.getAttribute("text"));
        }
        return text;
      } finally {
        reader.dispose();
      }
    }
  }
}
