package org.rectiflow.pipeline.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
  private static final long HEAP = 1 << 30;

  @TempDir private Path root;

  private void file(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void machineOf24() throws IOException {
    file(
        "proc/meminfo",
        "MemTotal:       24000000 kB\nMemFree:  1000 kB\nMemAvailable:   20000000 kB\n");
  }

  @Test
  void readsWhatTheKernelSaysIsAvailable() throws IOException {
    machineOf24();
    file("proc/self/cgroup", "0::/user.slice\n");
    file("sys/fs/cgroup/user.slice/memory.max", "max\n");
    MachineMemory machine = MachineMemory.read(root, HEAP);
    assertThat(machine)
        .isEqualTo(new MachineMemory(24_576_000_000L, 20_480_000_000L, HEAP, "the machine"));
  }

  @Test
  void aContainersLimitCounts() throws IOException {
    machineOf24();
    file("proc/self/cgroup", "0::/box/inner\n");
    file("sys/fs/cgroup/box/memory.max", "8000000000\n");
    file("sys/fs/cgroup/box/memory.current", "5000000000\n");
    file("sys/fs/cgroup/box/memory.stat", "anon 1\ninactive_file 2000000000\n");
    file("sys/fs/cgroup/box/inner/memory.max", "max\n");
    MachineMemory machine = MachineMemory.read(root, HEAP);
    assertThat(machine.total()).isEqualTo(8_000_000_000L);
    assertThat(machine.available()).isEqualTo(5_000_000_000L);
    assertThat(machine.limit()).contains("container");
  }

  @Test
  void theOlderKindOfControlGroupsCountsToo() throws IOException {
    machineOf24();
    file("proc/self/cgroup", "5:cpu:/x\n4:memory:/docker/abc\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000000\n");
    file("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000000000\n");
    file("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 500000000\n");
    MachineMemory machine = MachineMemory.read(root, HEAP);
    assertThat(machine.total()).isEqualTo(4_000_000_000L);
    assertThat(machine.available()).isEqualTo(3_500_000_000L);
  }

  @Test
  void withoutProcJavaIsAsked() {
    MachineMemory machine = MachineMemory.read(root, HEAP);
    assertThat(machine.total()).isPositive();
    assertThat(machine.available()).isBetween(1L, machine.total());
  }
}
