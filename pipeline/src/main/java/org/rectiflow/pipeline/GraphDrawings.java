package org.rectiflow.pipeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.DotWriter;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Profile;
import org.rectiflow.pipeline.io.AtomicFiles;

/**
 * A backend that also draws every graph it is given, as NAME.dot in a folder, in Graphviz's
 * language.
 *
 * @param backend runs the graphs
 * @param folder where the drawings go
 */
public record GraphDrawings(Backend backend, Path folder) implements Backend {

  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public String describe() {
    return backend.describe();
  }

  @Override
  public Executable compile(String name, Graph graph) {
    try {
      AtomicFiles.write(
          folder.resolve(name + ".dot"), file -> Files.writeString(file, DotWriter.draw(graph)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return backend.compile(name, graph);
  }

  @Override
  public long arenaBytes(Graph graph) {
    return backend.arenaBytes(graph);
  }

  @Override
  public Profile profile() {
    return backend.profile();
  }

  @Override
  public void warmUp() {
    backend.warmUp();
  }

  @Override
  public void close() {
    backend.close();
  }
}
