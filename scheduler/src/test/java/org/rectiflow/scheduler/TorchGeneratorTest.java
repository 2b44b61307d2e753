package org.rectiflow.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TorchGeneratorTest {

  @Test
  void equalsTorchBitForBit() throws IOException {
    for (JsonNode entry : Golden.json("torch_randn.json")) {
      int n = 1;
      for (JsonNode size : entry.get("shape")) {
        n *= size.asInt();
      }
      TorchGenerator generator = new TorchGenerator(entry.get("seed").asLong());
      String name = "seed " + entry.get("seed") + " shape " + entry.get("shape");
      assertThat(generator.randn(n)).as(name).containsExactly(Golden.floats(entry.get("first")));
      assertThat(generator.randn(n)).as(name).containsExactly(Golden.floats(entry.get("second")));
      assertThat(generator.rand(5))
          .as(name)
          .containsExactly(Golden.floats(entry.get("then_rand5")));
    }
  }

  @Test
  void equalsTheNoiseOfThePipelines() throws IOException {
    int tensors = 0;
    try (Stream<Path> files = Files.list(Golden.FOLDER)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList()) {
        for (Golden.Tensor noise : Golden.tensors(file, "noise")) {
          if (!noise.caseMetadata().has("seed")) {
            continue; // the batch of the gradient file
          }
          long seed = noise.caseMetadata().get("seed").asLong();
          assertThat(new TorchGenerator(seed).randn(noise.values().length))
              .as(file.getFileName() + " " + noise.name())
              .containsExactly(noise.values());
          tensors++;
        }
      }
    }
    System.out.println("noise tensors equal bit for bit: " + tensors);
    assertThat(tensors).isEqualTo(10);
  }

  @Test
  void seedingStartsOver() {
    TorchGenerator generator = new TorchGenerator(5);
    float[] first = generator.randn(3);
    generator.manualSeed(5);
    assertThat(generator.randn(3)).containsExactly(first);
  }

  @Test
  void onlyTheLow32BitsOfASeedCount() {
    assertThat(new TorchGenerator((1L << 32) + 9).rand(4))
        .containsExactly(new TorchGenerator(9).rand(4));
  }

  @Test
  void emptyAndBadRequests() {
    TorchGenerator generator = new TorchGenerator(0);
    assertThat(generator.randn(0)).isEmpty();
    assertThatThrownBy(() -> generator.rand(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    for (double std : List.of(-1.0, Double.NaN)) {
      assertThatThrownBy(() -> generator.normal(0, std, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("std");
    }
  }
}
