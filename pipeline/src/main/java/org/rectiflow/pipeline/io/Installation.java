package org.rectiflow.pipeline.io;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The files that come with the program. run.sh says where they are. */
public final class Installation {
  private static final String HOME = "rectiflow.home";

  private Installation() {}

  /**
   * A folder of the repository, such as {@code models/shapes}; empty if run.sh did not start us.
   */
  public static Optional<Path> folder(String name) {
    return Optional.ofNullable(System.getProperty(HOME))
        .map(home -> Path.of(home).resolve(name))
        .filter(Files::isDirectory);
  }
}
