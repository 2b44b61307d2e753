package org.rectiflow.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run on a disk that has room for one checkpoint only. */
class FullDiskTest {
  private static final String RUN =
      """
      steps = 6
      batch = 2
      log.every = 1
      encoders.t5_tokens = 4
      model.base = "../testdata/models/tiny-sd3"
      model.depth = 1
      data.samples = 5
      data.size = 32
      validation.every = 0
      validation.samples = 1
      samples.every = 0
      checkpoints.every = 2
      """;

  /** Mounts a disk at $0 for its children only; what was on it is copied to $1 in the end. */
  private static final String ON_A_SMALL_DISK =
      """
      disk="$0"; copy="$1"; shift
      mount -t tmpfs -o size=%dk tmpfs "$disk" || exit 99
      "$@"; status=$?
      cp -a "$disk/." "$copy"
      exit $status
      """;

  @TempDir Path temp;

  private static long size(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  private static boolean succeeds(List<String> command, String last) throws Exception {
    List<String> all = new ArrayList<>(command);
    all.add(last);
    try {
      return new ProcessBuilder(all).start().waitFor() == 0;
    } catch (IOException _) {
      // There is no such command on this system.
      return false;
    }
  }

  private List<String> smallDisk(Path disk, Path copy, long bytes) throws Exception {
    List<String> command =
        List.of(
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            ON_A_SMALL_DISK.formatted(bytes >> 10),
            disk.toString(),
            copy.toString());
    assumeTrue(succeeds(command, "true"), "mounting a small disk is not allowed here");
    return command;
  }

  @Test
  void aDiskThatFillsUpAtACheckpointLeavesTheOneBefore() throws Exception {
    Path file = Files.writeString(temp.resolve("run.toml"), RUN);
    Path whole = temp.resolve("whole");
    try (RunProcess process = RunProcess.start(file, whole)) {
      assertThat(process.end()).as(process.said()).isZero();
    }
    long checkpoint = size(whole.resolve("checkpoints/step-00000006"));
    Path disk = Files.createDirectory(temp.resolve("disk"));
    Path copy = Files.createDirectory(temp.resolve("copy"));
    // Files take whole pages, and there are the log and the page besides.
    List<String> by = smallDisk(disk, copy, checkpoint * 3 / 2 + (1 << 20));
    try (RunProcess process =
        RunProcess.start(by, disk, "train", file.toString(), "--out", disk.toString())) {
      assertThat(process.end()).as(process.said()).isEqualTo(1);
      System.out.println("full disk: " + process.said().lines().toList().getLast());
      assertThat(process.said())
          .contains("the checkpoint of step 4 could not be written")
          .contains("The last good checkpoint is " + disk.resolve("checkpoints/step-00000002"))
          .contains("Make room")
          .doesNotContain("Exception");
    }
    try (Stream<Path> left = Files.list(copy.resolve("checkpoints"))) {
      assertThat(left.map(p -> p.getFileName().toString())).containsExactly("step-00000002");
    }
    try (RunProcess process = RunProcess.start(file, copy)) {
      assertThat(process.end()).as(process.said()).isZero();
    }
    assertThat(RunContents.of(copy)).isEqualTo(RunContents.of(whole));
  }
}
