package org.rectiflow.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;

/**
 * The folder of a run, held by one process at a time:
 *
 * <pre>
 * config.json                every setting, defaults included
 * log.jsonl                  see {@link LogEvent}
 * checkpoints/step-00001000  a model that other commands open, and training/ to go on from
 * samples/step-00001000      sample pictures
 * </pre>
 */
public final class RunFolder implements AutoCloseable {
  private static final String STEP = "step-";
  private static final String PART = ".part";

  private final Path folder;
  private final FileChannel lockFile;
  private final FileLock lock;

  private RunFolder(Path folder, FileChannel lockFile, FileLock lock) {
    this.folder = folder;
    this.lockFile = lockFile;
    this.lock = lock;
  }

  /**
   * Takes hold of a run's folder, which is made if it is missing, and writes the settings down.
   *
   * @param resume whether to go on with the run in it, if there is one
   * @throws UserException if another process holds it; if it has a run and {@code resume} is not
   *     set; or if that run had other settings
   */
  public static RunFolder open(Path folder, Settings settings, boolean resume) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UserException(
          "cannot make the run's folder %s: %s; choose another with --out"
              .formatted(folder, e.getMessage()),
          e);
    }
    FileChannel file =
        FileChannel.open(
            folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    RunFolder run = new RunFolder(folder, file, lock(folder, file));
    try {
      run.begin(settings, resume);
      return run;
    } catch (IOException | RuntimeException e) {
      run.close();
      throw e;
    }
  }

  private static FileLock lock(Path folder, FileChannel file) throws IOException {
    FileLock lock;
    try {
      lock = file.tryLock();
    } catch (OverlappingFileLockException _) {
      lock = null;
    }
    if (lock == null) {
      file.close();
      throw new UserException(
          "%s: another process is training there; wait for it to end, or choose another folder with --out"
              .formatted(folder));
    }
    return lock;
  }

  private void begin(Settings settings, boolean resume) throws IOException {
    Path config = folder.resolve("config.json");
    // Without a log nothing was done yet: what the settings said could not be opened.
    boolean begun = Files.exists(config) && (Files.exists(log()) || latest().isPresent());
    if (begun && !resume) {
      throw new UserException(
          "%s holds a run%s. Go on with it with --resume, or choose another folder with --out."
              .formatted(
                  folder, latest().map(c -> " with a checkpoint at step " + step(c)).orElse("")));
    }
    removeLeftovers();
    if (begun) {
      refuseChanges(settings, Json.readObject(config));
    }
    AtomicFiles.write(
        config, temporary -> Files.writeString(temporary, Json.pretty(settings.values()) + "\n"));
  }

  private void refuseChanges(Settings settings, JsonNode before) throws IOException {
    // As text and back: numbers of the same value are then of the same type.
    JsonNode current = Json.parse(Json.pretty(settings.values()));
    TreeMap<String, String> changes = new TreeMap<>();
    for (Key<?> key : settings.keys()) {
      JsonNode old = before.path(key.name());
      JsonNode now = current.path(key.name());
      // A key that came after the run was begun: its default is what was done before.
      boolean added = old.isMissingNode() && key.initial().equals(Optional.of(settings.get(key)));
      boolean same = old.equals(now) || isOlderForm(key, old, settings);
      if (!key.mayChange() && !added && !same) {
        changes.put(
            key.name(),
            "%s was %s, is %s".formatted(key.name(), old.isMissingNode() ? "absent" : old, now));
      }
    }
    before
        .fieldNames()
        .forEachRemaining(name -> {
          if (!settings.values().containsKey(name)) {
            changes.put(name, "%s was %s, is absent".formatted(name, before.get(name)));
          }
        });
    if (!changes.isEmpty()) {
      String free =
          settings.keys().stream()
              .filter(Key::mayChange)
              .map(Key::name)
              .collect(Collectors.joining(", "));
      throw new UserException(
          "%s was begun with other settings than %s has: %s. A run goes on with the settings it began with (only %s may change); put them back, or begin another run with --out."
              .formatted(folder, settings.origin(), String.join("; ", changes.values()), free));
    }
  }

  /** Whether a value, written before its key became a list, means the same. */
  private static boolean isOlderForm(Key<?> key, JsonNode old, Settings settings) {
    if (!old.isBoolean() || settings.get(key) instanceof Boolean) {
      return false;
    }
    try {
      return key.kind().reader().apply(old.booleanValue()).equals(settings.get(key));
    } catch (IllegalArgumentException _) {
      // It never could be true or false.
      return false;
    }
  }

  /** What processes that were killed left unfinished. */
  private void removeLeftovers() throws IOException {
    for (Path place : List.of(folder, checkpoints(), samples())) {
      for (Path file : list(place)) {
        String name = file.getFileName().toString();
        if (name.startsWith(".") && name.endsWith(PART)) {
          delete(file);
        }
      }
    }
  }

  public Path path() {
    return folder;
  }

  /** The log. */
  public Path log() {
    return folder.resolve("log.jsonl");
  }

  private Path checkpoints() {
    return folder.resolve("checkpoints");
  }

  private Path samples() {
    return folder.resolve("samples");
  }

  /** Where the checkpoint of a step is or will be. */
  public Path checkpoint(long step) {
    return checkpoints().resolve(name(step));
  }

  /** Where the sample pictures of a step are or will be. */
  public Path samples(long step) {
    return samples().resolve(name(step));
  }

  private static String name(long step) {
    return STEP + "%08d".formatted(step);
  }

  /** The step in the name of a checkpoint's folder. */
  static long step(Path checkpoint) {
    return Long.parseLong(checkpoint.getFileName().toString().substring(STEP.length()));
  }

  /** The checkpoint of the latest step, if there is one. */
  public Optional<Path> latest() throws IOException {
    return all().stream().max(Comparator.comparingLong(RunFolder::step));
  }

  private List<Path> all() throws IOException {
    return list(checkpoints()).stream()
        .filter(p -> p.getFileName().toString().matches(STEP + "\\d+"))
        .sorted(Comparator.comparingLong(RunFolder::step))
        .toList();
  }

  /** Removes all checkpoints but the last {@code keep} and the one of step {@code best}. */
  void prune(int keep, long best) throws IOException {
    List<Path> all = new ArrayList<>(all());
    for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
      if (step(old) != best) {
        remove(old);
      }
    }
  }

  /** Removes a folder; nobody sees half of it under its name. */
  void remove(Path old) throws IOException {
    Path doomed = old.resolveSibling("." + old.getFileName() + PART);
    Files.move(old, doomed, StandardCopyOption.ATOMIC_MOVE);
    delete(doomed);
  }

  private static List<Path> list(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Override
  public void close() throws IOException {
    lock.release();
    lockFile.close();
  }
}
