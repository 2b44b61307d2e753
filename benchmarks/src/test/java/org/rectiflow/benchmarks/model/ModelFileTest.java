package org.rectiflow.benchmarks.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.RandomModel;
import org.rectiflow.pipeline.convert.Release;
import org.rectiflow.safetensors.DType;

class ModelFileTest {
  /** 2.03 billion weights and 57 million values of the position table. */
  @Test
  void theSizeOfSd3MediumIsKnownBeforeItIsWritten() {
    RandomModel model =
        new RandomModel(Release.SD3_MEDIUM, 24, Map.of(Part.TRANSFORMER, DType.F16), false, 0);
    assertThat(model.bytes()).isBetween(4_060_000_000L, 4_200_000_000L);
  }

  @Test
  void whatIsThereIsNotWritten(@TempDir Path folder) throws IOException {
    List<String> said = new ArrayList<>();
    ModelFile.ensure(folder, Release.SD3_MEDIUM, DType.F16, said::add, Progress.NONE);
    assertThat(said).isEmpty();
    assertThat(Files.list(folder)).isEmpty();
  }
}
