package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.rectiflow.safetensors.TestFiles.file;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Permissions, full disks and sudden death, with a real operating system on the other side. */
@EnabledOnOs(OS.LINUX)
class FaultyDiskTest {

  private static final String[] NOBODY = {
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"
  };

  @TempDir Path temp;
  private ChildJvm child;
  private Path folder;
  private Path target;

  @BeforeEach
  void prepare() throws IOException {
    permit(temp, "rwxr-xr-x");
    child = ChildJvm.copiedTo(Files.createDirectory(temp.resolve("classes")));
    folder = Files.createDirectory(temp.resolve("models"));
    target = folder.resolve("m.safetensors");
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  /** A user whom permissions bind: root must become another. */
  private static List<String> plainUser() throws Exception {
    if (!System.getProperty("user.name").equals("root")) {
      return List.of();
    }
    assumeTrue(succeeds(List.of(NOBODY), "true"), "root cannot become nobody here");
    return List.of(NOBODY);
  }

  private static boolean succeeds(List<String> prefix, String... command) throws Exception {
    List<String> all = new ArrayList<>(prefix);
    all.addAll(List.of(command));
    try {
      Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException _) {
      // There is no such program: the test it is for is skipped, and says so.
      return false;
    }
  }

  private static void saysOnly(ChildJvm.Result result, Kind kind, String words, String left) {
    assertThat(result.output())
        .startsWith(kind + " ")
        .contains(words)
        .endsWith("left " + left + "\n");
    assertThat(result.status()).isZero();
  }

  @Test
  void anUnreadableFileIsNamed() throws Exception {
    TestFiles.write(folder, "m.safetensors", file("{}", 0));
    permit(target, "---------");
    ChildJvm.Result result = child.run(plainUser(), "read", target.toString());
    saysOnly(result, Kind.UNREADABLE, target + ": the permissions", "[m.safetensors]");
  }

  @Test
  void aReadOnlyFolderIsNamed() throws Exception {
    permit(folder, "r-xr-xr-x");
    ChildJvm.Result result = child.run(plainUser(), "write", target.toString(), "10");
    saysOnly(result, Kind.FOLDER_NOT_WRITABLE, folder + " is read-only", "[]");
  }

  /** A disk of one megabyte, seen by the child only. */
  private List<String> smallDisk() throws Exception {
    List<String> prefix =
        List.of(
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"",
            folder.toString());
    assumeTrue(succeeds(prefix, "true"), "mounting a small disk is not allowed here");
    return prefix;
  }

  @Test
  void tooSmallADiskIsNamedBeforehand() throws Exception {
    ChildJvm.Result result = child.run(smallDisk(), "write", target.toString(), "2000000");
    saysOnly(result, Kind.DISK_FULL, "expected space for 20000", "[]");
    assertThat(result.output()).contains("found 1048576");
  }

  @Test
  void aDiskThatFillsUpIsNamedAndNothingIsLeft() throws Exception {
    ChildJvm.Result result = child.run(smallDisk(), "fill", target.toString());
    saysOnly(result, Kind.DISK_FULL, "the disk is full", "[ballast]");
  }

  @Test
  void aLimitOnFileSizeIsNamed() throws Exception {
    List<String> limited = List.of("bash", "-c", "ulimit -f 1024 && exec \"$0\" \"$@\"");
    assumeTrue(succeeds(limited, "true"), "no bash here");
    ChildJvm.Result result = child.run(limited, "write", target.toString(), "2000000");
    saysOnly(result, Kind.WRITE_FAILED, "File too large", "[]");
  }

  private Process halfWritten() throws IOException {
    TestFiles.write(folder, "m.safetensors", file("{}", 0));
    Process process = child.start(List.of(), "hang", target.toString());
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    assertThat(output.readLine()).isEqualTo("half");
    assertThat(folder.toFile().list()).hasSize(2);
    return process;
  }

  @Test
  void ctrlCLeavesTheOldFileAndNoOther() throws Exception {
    Process process = halfWritten();
    process.destroy();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(folder.toFile().list()).containsExactly("m.safetensors");
    SafetensorsFile.open(target).close();
  }

  @Test
  void killingLeavesTheOldFile() throws Exception {
    Process process = halfWritten();
    process.destroyForcibly();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    SafetensorsFile.open(target).close();
    assertThat(folder.toFile().list()).hasSize(2).contains("m.safetensors");
  }
}
