package org.rectiflow.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.safetensors.TensorSource;

class TiledDecoderTest {

  /** A decoder that repeats pixels: exact whatever tile it sees, so tiling must change nothing. */
  private static Tensor repeat(Tensor latent) {
    int h = latent.shape().dim(2);
    int w = latent.shape().dim(3);
    float[] pixels = new float[3 * 64 * h * w];
    for (int i = 0; i < pixels.length; i++) {
      int y = i / (8 * w) % (8 * h);
      int x = i % (8 * w);
      int c = i / (64 * h * w);
      pixels[i] = latent.data()[(c * h + y / 8) * w + x / 8];
    }
    return Tensor.of(pixels, 1, 3, 8 * h, 8 * w);
  }

  @Test
  void aLocalDecoderGivesTheSameWithAndWithoutTiles() {
    Random random = new Random(1);
    for (int[] size : new int[][] {{8, 8}, {9, 31}, {40, 17}, {21, 8}}) {
      Tensor latent = Tensor.zeros(Shape.of(1, 16, size[0], size[1]));
      for (int i = 0; i < latent.data().length; i++) {
        latent.data()[i] = (float) random.nextGaussian();
      }
      float[] whole = repeat(latent).data();
      float[] tiled = new TiledDecoder(8, 3, 8).decode(latent, TiledDecoderTest::repeat).data();
      for (int i = 0; i < whole.length; i++) {
        assertThat(tiled[i]).isEqualTo(whole[i], within(1e-6f));
      }
    }
  }

  /**
   * With the real decoder tiles differ from the whole, but no edge may show: neighbouring pixels
   * across a tile's border must not differ from the untiled picture's step by more than they do
   * anywhere else.
   */
  @Test
  void noSeamAtTheTilesBorders() {
    Path file = Path.of("../testdata/models/shapes/vae/diffusion_pytorch_model.safetensors");
    try (TensorSource source = TensorSource.open(file);
        Backend backend = new CpuBackend(2)) {
      StoredWeights weights = new StoredWeights(source);
      Autoencoder vae = new Autoencoder(VaeConfig.of(weights, 8, 1.0874f, -0.1662f), weights);
      Tensor latent = smooth(24);
      Tensor whole = decode(backend, vae, latent);
      Tensor tiled = new TiledDecoder(12, 4, 8).decode(latent, tile -> decode(backend, vae, tile));
      int side = 24 * 8;
      double atBorders = 0;
      double elsewhere = 0;
      // Tiles begin at 0, 6 and 12 latent pixels and end at 12, 18 and 24.
      for (int c = 0; c < 3; c++) {
        for (int y = 0; y < side; y++) {
          for (int x = 1; x < side; x++) {
            int i = (c * side + y) * side + x;
            double step = tiled.data()[i] - tiled.data()[i - 1];
            double change = Math.abs(step - (whole.data()[i] - whole.data()[i - 1]));
            if (x % 48 == 0) {
              atBorders = Math.max(atBorders, change);
            } else {
              elsewhere = Math.max(elsewhere, change);
            }
          }
        }
      }
      System.out.printf(
          "change of the step between neighbours: %.3f at borders, %.3f elsewhere%n",
          atBorders, elsewhere);
      assertThat(atBorders).isLessThanOrEqualTo(elsewhere);
    }
  }

  private static Tensor smooth(int side) {
    Tensor latent = Tensor.zeros(Shape.of(1, 16, side, side));
    for (int i = 0; i < latent.data().length; i++) {
      int c = i / (side * side);
      double angle = (c + 1) * 0.05 * (i % side) + 0.3 * c + 0.07 * (i / side % side);
      latent.data()[i] = (float) Math.sin(angle);
    }
    return latent;
  }

  private static Tensor decode(Backend backend, Autoencoder vae, Tensor latent) {
    int h = latent.shape().dim(2);
    int w = latent.shape().dim(3);
    try (Executable decoder = backend.compile("vae", vae.decoder(1, h, w))) {
      return decoder.run(Map.of("latent", Feed.of(latent))).get("pixels");
    }
  }

  @Test
  void tilesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> new TiledDecoder(4, 1, 8)).hasMessageContaining("at least 8");
    assertThatThrownBy(() -> new TiledDecoder(16, 9, 8)).hasMessageContaining("half of its side");
  }
}
