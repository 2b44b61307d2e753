package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.Denoiser;
import org.rectiflow.pipeline.Preset;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.scheduler.TorchGenerator;

/** The bundled model draws the same picture on the device as on the CPU. */
class PictureOnDeviceTest {
  private static final int STEPS = 8;
  private static final int SIDE = 64;

  /** Euler's method from noise to a picture, guided. */
  private static Picture draw(Backend backend) {
    try (Checkpoint checkpoint = DiffusersFolder.open(Path.of("../testdata/models/shapes"))) {
      TextToImage pipeline = new TextToImage(checkpoint, backend);
      Prompts prompts = new Prompts("four blue circles", "four blue circles", "four blue circles");
      Prompts nothing = new Prompts("", "", "");
      List<PromptEmbedding> embeddings;
      try (PromptEncoder encoders = pipeline.encoders(Preset.DIFFUSERS.t5Tokens(), Set.of())) {
        embeddings =
            pipeline.encode(encoders, List.of(prompts, nothing)).stream()
                .map(encoding -> encoding.embedding())
                .toList();
      }
      Tensor x = pipeline.noise(new TorchGenerator(3), SIDE, SIDE);
      try (Denoiser denoiser =
          pipeline.denoiser(embeddings.get(0), embeddings.get(1), 4, SIDE, SIDE)) {
        for (int i = 0; i < STEPS; i++) {
          float sigma = 1f - (float) i / STEPS;
          float[] velocity = denoiser.velocity(x, 1000 * sigma).data();
          float[] next = x.data().clone();
          for (int j = 0; j < next.length; j++) {
            next[j] -= velocity[j] / STEPS;
          }
          x = new Tensor(x.shape(), next);
        }
      }
      return Picture.of(pipeline.decode(x, Optional.empty()), Preset.DIFFUSERS.rounding());
    }
  }

  @Test
  void sameWithinTwoLevels() {
    byte[] expected;
    byte[] actual;
    try (TornadoBackend device = Device.open();
        CpuBackend cpu = new CpuBackend(2)) {
      expected = draw(cpu).rgb();
      actual = draw(device).rgb();
    }
    int worst = 0;
    int different = 0;
    for (int i = 0; i < expected.length; i++) {
      int d = Math.abs((expected[i] & 0xff) - (actual[i] & 0xff));
      worst = Math.max(worst, d);
      different += d == 0 ? 0 : 1;
    }
    System.out.printf(
        "largest difference %d levels, %d of %d values differ%n",
        worst, different, expected.length);
    assertThat(expected.length).isEqualTo(3 * SIDE * SIDE);
    assertThat(worst).isLessThanOrEqualTo(2);
  }
}
