package org.rectiflow.paper.output;

import java.util.regex.Pattern;

/** The file names used: safe on every file system and in every URL. */
final class FileNames {

  private static final Pattern PLAIN = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");

  private FileNames() {}

  static void require(String name) {
    if (!PLAIN.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a file name consists of lower-case letters, digits and single dashes, found '%s'"
              .formatted(name));
    }
  }
}
