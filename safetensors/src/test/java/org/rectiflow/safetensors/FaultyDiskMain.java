package org.rectiflow.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** What {@link FaultyDiskTest} has another process do. Prints the error's kind and message. */
final class FaultyDiskMain {

  private FaultyDiskMain() {}

  public static void main(String[] args) throws Exception {
    Path path = Path.of(args[1]);
    try {
      switch (args[0]) {
        case "read" -> SafetensorsFile.open(path).close();
        case "write" -> write(path, Integer.parseInt(args[2]));
        case "fill" -> fill(path);
        case "hang" -> hang(path);
        default -> throw new IllegalArgumentException(args[0]);
      }
      System.out.println("done");
    } catch (SafetensorsException e) {
      System.out.println(e.kind() + " " + e.getMessage());
    }
    try (Stream<Path> left = Files.list(path.toAbsolutePath().getParent())) {
      System.out.println("left " + left.map(p -> p.getFileName().toString()).sorted().toList());
    }
  }

  private static void write(Path path, int bytes) {
    new SafetensorsWriter()
        .add("x", DType.U8, List.of((long) bytes), MemorySegment.ofArray(new byte[bytes]))
        .write(path);
  }

  /** There is space when writing starts, and none when it goes on. */
  private static void fill(Path path) {
    long bytes = 500_000;
    new SafetensorsWriter()
        .add(
            "x",
            DType.U8,
            List.of(bytes),
            sink -> {
              sink.write(MemorySegment.ofArray(new byte[1000]));
              ballast(path.resolveSibling("ballast"));
              sink.write(MemorySegment.ofArray(new byte[(int) bytes - 1000]));
            })
        .write(path);
  }

  private static void ballast(Path path) throws IOException {
    byte[] block = new byte[4096];
    while (true) {
      try {
        Files.write(path, block, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException _) {
        // The disk is full, as wanted.
        return;
      }
    }
  }

  private static void hang(Path path) {
    new SafetensorsWriter()
        .add(
            "x",
            DType.U8,
            List.of(2000L),
            sink -> {
              sink.write(MemorySegment.ofArray(new byte[1000]));
              System.out.println("half");
              try {
                Thread.sleep(60_000);
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
            })
        .write(path);
  }
}
