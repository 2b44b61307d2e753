package org.rectiflow.paper.output;

/**
 * A picture and the name of its files.
 *
 * @param name file name without extension: lower-case letters, digits and dashes
 * @param alt what the picture shows, in a sentence, for readers who cannot see it
 * @param picture what is painted
 */
public record NamedPicture(String name, String alt, Picture picture) {

  /** Refuses names that are no plain file names. */
  public NamedPicture {
    FileNames.require(name);
  }
}
