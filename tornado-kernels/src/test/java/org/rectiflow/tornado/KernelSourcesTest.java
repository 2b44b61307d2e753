package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder of generated sources stays only when it is needed. */
class KernelSourcesTest {
  @TempDir private Path folder;

  @Test
  void sourcesGoAfterSuccess() throws IOException {
    Path kernels = Files.createDirectory(folder.resolve("kernels"));
    Files.writeString(kernels.resolve("copy.cl"), "__kernel");
    KernelSources.removeUnlessFailed(kernels);
    assertThat(kernels).doesNotExist();
  }

  @Test
  void sourcesStayAfterFailureWithItsMessage() throws IOException {
    Path kernels = folder.resolve("kernels");
    KernelSources sources = KernelSources.in(Optional.of(kernels));
    Files.writeString(kernels.resolve("copy.cl"), "__kernel");
    sources.failed("kernel copy failed");
    KernelSources.removeUnlessFailed(kernels);
    assertThat(kernels.resolve("copy.cl")).exists();
    assertThat(Files.readString(kernels.resolve("failure.txt"))).contains("kernel copy failed");
  }
}
