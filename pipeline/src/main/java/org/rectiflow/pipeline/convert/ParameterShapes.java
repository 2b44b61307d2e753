package org.rectiflow.pipeline.convert;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.NameTable;
import org.rectiflow.pipeline.checkpoint.NameTable.Change;
import org.rectiflow.pipeline.checkpoint.NameTable.Row;
import org.rectiflow.safetensors.DType;

/**
 * The names and shapes of a model's parameters: those that the model itself asks for while its
 * graph is recorded.
 */
final class ParameterShapes {
  private ParameterShapes() {}

  /**
   * What {@code model} asks for.
   *
   * @param model records its graphs with the weights it is given
   */
  static Map<String, List<Long>> of(Consumer<WeightSource> model) {
    try (Recorder recorder = new Recorder()) {
      model.accept(recorder);
      return recorder.shapes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same tensors as the original layout has them. */
  static Map<String, List<Long>> original(NameTable table, Map<String, List<Long>> ours) {
    Map<String, List<Long>> shapes = new TreeMap<>();
    ours.forEach((name, shape) -> {
      Row row = table.ofOurs(name).orElseThrow();
      shapes.put(row.original(), original(row, shape));
    });
    return shapes;
  }

  /** The shape that a tensor of diffusers' has in the original layout. */
  static List<Long> original(Row row, List<Long> ours) {
    List<Long> shape = new ArrayList<>(ours);
    if (row.change() == Change.THIRDS) {
      shape.set(0, 3 * shape.getFirst());
    } else if (row.change() == Change.SQUEEZED) {
      shape.addAll(List.of(1L, 1L));
    }
    return shape;
  }

  /**
   * Answers every request with a tensor of the wanted shape, and remembers it. Its values are a
   * hole in an empty file: they take no memory until read, which nobody does.
   */
  private static final class Recorder implements WeightSource, AutoCloseable {
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private final Path file;
    private final FileChannel channel;
    private final Arena arena = Arena.ofConfined();
    private MemorySegment hole = MemorySegment.NULL;

    Recorder() throws IOException {
      file = Files.createTempFile("rectiflow", ".hole");
      channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public Weight require(String name, int... dims) {
      shapes.put(name, IntStream.of(dims).mapToObj(d -> (long) d).toList());
      Shape shape = Shape.of(dims);
      if (hole.byteSize() < shape.count()) {
        try {
          hole = channel.map(MapMode.READ_WRITE, 0, shape.count(), arena);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return new Weight(name, DType.F8_E4M3, shape, hole.asSlice(0, shape.count()));
    }

    @Override
    public Optional<Weight> find(String name) {
      return Optional.empty();
    }

    @Override
    public Set<String> names() {
      return Set.of();
    }

    @Override
    public String origin() {
      return "the shapes of a model";
    }

    @Override
    public void close() throws IOException {
      arena.close();
      channel.close();
      Files.delete(file);
    }
  }
}
