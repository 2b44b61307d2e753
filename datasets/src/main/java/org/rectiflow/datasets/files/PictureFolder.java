package org.rectiflow.datasets.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.Fingerprint;

/**
 * A folder of PNG and JPEG pictures with captions, in the layout of Hugging Face's
 * <em>imagefolder</em>: a file {@code metadata.jsonl} has one JSON object a line, whose {@code
 * file_name} is a path from the file's own folder and whose {@code text} is the caption. Folders in
 * the folder may have such files of their own. Examples are sorted by path.
 */
public final class PictureFolder implements Dataset {
  /** Where captions stand. */
  public static final String METADATA = "metadata.jsonl";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path folder;
  private final int side;
  private final List<Entry> entries;

  /**
   * A caption and where it stands.
   *
   * @param name path of the picture from the data set's folder, with slashes
   * @param place the caption's file and line, for messages
   */
  private record Entry(String name, Path picture, String caption, String place) {}

  private PictureFolder(Path folder, int side, List<Entry> entries) {
    this.folder = folder;
    this.side = side;
    this.entries = entries;
  }

  /**
   * Finds the pictures and their captions; pictures are read when they are asked for.
   *
   * @param side to which the square in the middle of each picture is resized
   * @throws IOException if the folder is missing or has no captions; if a caption has no picture, a
   *     picture no caption or more than one; or if a line is not understood. Messages name file and
   *     line.
   */
  public static PictureFolder open(Path folder, int side) throws IOException {
    if (side < 1) {
      throw new IllegalArgumentException("pictures need a positive side, found " + side);
    }
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          "there is no folder %s; name one with pictures and a file %s"
              .formatted(folder, METADATA));
    }
    List<Path> metadata = new ArrayList<>();
    List<Path> pictures = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.equals(METADATA)) {
          metadata.add(file);
        } else if (!name.startsWith(".") && PictureFile.isPicture(file)) {
          pictures.add(file);
        }
      }
    }
    if (metadata.isEmpty()) {
      throw new IOException(
          "%s has no file %s; it says which caption belongs to which of the %d pictures, a line each: {\"file_name\": \"0001.png\", \"text\": \"a red circle\"}"
              .formatted(folder, METADATA, pictures.size()));
    }
    Map<String, Entry> entries = new TreeMap<>();
    for (Path file : metadata) {
      for (Entry entry : read(folder, file)) {
        Entry other = entries.putIfAbsent(entry.name(), entry);
        if (other != null) {
          throw new IOException(
              "%s: the picture %s has a caption already, at %s; keep one of them"
                  .formatted(entry.place(), entry.name(), other.place()));
        }
      }
    }
    for (Path picture : pictures) {
      if (!entries.containsKey(name(folder, picture))) {
        throw new IOException(
            "the picture %s has no caption in any %s of %s; give it one, or take it out"
                .formatted(picture, METADATA, folder));
      }
    }
    if (entries.isEmpty()) {
      throw new IOException("%s has no pictures".formatted(folder));
    }
    return new PictureFolder(folder, side, List.copyOf(entries.values()));
  }

  private static List<Entry> read(Path folder, Path file) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is not UTF-8 text", e);
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        entries.add(entry(folder, file, lines.get(i), "%s, line %d".formatted(file, i + 1)));
      }
    }
    return entries;
  }

  private static Entry entry(Path folder, Path file, String line, String place) throws IOException {
    JsonNode json;
    try {
      json = MAPPER.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IOException("%s is not JSON: %s".formatted(place, e.getOriginalMessage()), e);
    }
    String name = text(json, "file_name", place);
    String caption = text(json, "text", place);
    Path picture = file.resolveSibling(name).normalize();
    if (!picture.startsWith(folder.normalize())) {
      throw new IOException("%s: %s lies outside the folder %s".formatted(place, name, folder));
    }
    if (!Files.isRegularFile(picture)) {
      throw new IOException(
          "%s: a caption without a picture: there is no file %s; add it, or take the line out"
              .formatted(place, picture));
    }
    if (!PictureFile.isPicture(picture)) {
      throw new IOException("%s: %s is not a .png, .jpg or .jpeg file".formatted(place, name));
    }
    return new Entry(name(folder, picture), picture, caption, place);
  }

  private static String text(JsonNode json, String field, String place) throws IOException {
    JsonNode value = json.path(field);
    if (!value.isTextual()) {
      throw new IOException(
          "%s: expected an object with a text \"%s\", found %s"
              .formatted(place, field, json.has(field) ? value : json));
    }
    return value.asText();
  }

  private static String name(Path folder, Path picture) {
    return folder.normalize().relativize(picture.normalize()).toString().replace('\\', '/');
  }

  @Override
  public int size() {
    return entries.size();
  }

  @Override
  public Example get(int index) throws IOException {
    Entry entry = entries.get(index);
    return new Example(
        entry.name(), entry.caption(), PictureSize.square(PictureFile.read(entry.picture()), side));
  }

  /** Where the pictures are. */
  public Path folder() {
    return folder;
  }

  @Override
  public String fingerprint() throws IOException {
    Fingerprint print = new Fingerprint().add("pictures").add(side);
    for (Entry entry : entries) {
      print.add(entry.name()).add(entry.caption()).add(entry.picture());
    }
    return print.hex();
  }
}
