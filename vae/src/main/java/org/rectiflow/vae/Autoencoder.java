package org.rectiflow.vae;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * The convolutional autoencoder that SD3 works in the latent space of (paper, Section 5.2.1): eight
 * times smaller pictures of 16 channels.
 *
 * <p>The tensors have diffusers' names ({@code AutoencoderKL} without quantisation convolutions).
 */
public final class Autoencoder {
  private final VaeConfig config;
  private final WeightSource weights;

  /**
   * @throws CheckpointException if the checkpoint has quantisation convolutions, which SD3's
   *     autoencoder lacks, or tensors of neither encoder nor decoder
   */
  public Autoencoder(VaeConfig config, WeightSource weights) {
    this.config = config;
    this.weights = weights;
    for (String name : new TreeSet<>(weights.names())) {
      if (!name.startsWith("encoder.") && !name.startsWith("decoder.")) {
        throw new CheckpointException(
            "%s: tensor %s belongs to neither encoder nor decoder; SD3's autoencoder has no such layer, so this is another model's"
                .formatted(weights.origin(), name));
      }
    }
  }

  public VaeConfig config() {
    return config;
  }

  /**
   * Latents to pictures. Input {@code latent} [B, latentChannels, h, w], normalised as the
   * transformer has it; output {@code pixels} [B, 3, 8h, 8w], about -1 to 1.
   */
  public Graph decoder(int batch, int height, int width) {
    Graph g = new Graph();
    Params params = new Params(g, weights);
    Value latent = g.input("latent", batch, config.latentChannels(), height, width);
    Value z = g.affine(latent, 1 / config.scalingFactor(), config.shiftFactor());
    g.output("pixels", decode(new VaeLayers(params.in("decoder"), config.groups()), z));
    params.requireAllUsed(namesOutside("decoder."));
    return g;
  }

  private Value decode(VaeLayers d, Value z) {
    List<Integer> widths = config.widths().reversed();
    Value h = d.conv3x3("conv_in", z, widths.getFirst());
    h = d.middle(h);
    for (int i = 0; i < widths.size(); i++) {
      String name = "up_blocks." + i;
      try (Scope _ = d.scope(name)) {
        VaeLayers up = d.in(name);
        for (int j = 0; j <= config.layersPerBlock(); j++) {
          h = up.resnet("resnets." + j, h, widths.get(i));
        }
        if (i < widths.size() - 1) {
          h = up.upsample("upsamplers.0.conv", h);
        }
      }
    }
    return d.conv3x3("conv_out", d.normSilu("conv_norm_out", h), 3);
  }

  /**
   * Pictures to latents. Input {@code pixels} [B, 3, H, W] in -1 to 1, sizes multiples of 8;
   * outputs {@code mean} and {@code logvar} [B, latentChannels, H/8, W/8] of the posterior, not
   * normalised: see {@link LatentSpace}.
   */
  public Graph encoder(int batch, int height, int width) {
    if (height % config.factor() != 0 || width % config.factor() != 0) {
      throw new IllegalArgumentException(
          "a picture of %dx%d does not divide into latent pixels of %d"
              .formatted(height, width, config.factor()));
    }
    Graph g = new Graph();
    Params params = new Params(g, weights);
    Value pixels = g.input("pixels", batch, 3, height, width);
    VaeLayers e = new VaeLayers(params.in("encoder"), config.groups());
    Value h = e.conv3x3("conv_in", pixels, config.widths().getFirst());
    for (int i = 0; i < config.widths().size(); i++) {
      String name = "down_blocks." + i;
      try (Scope _ = e.scope(name)) {
        VaeLayers down = e.in(name);
        for (int j = 0; j < config.layersPerBlock(); j++) {
          h = down.resnet("resnets." + j, h, config.widths().get(i));
        }
        if (i < config.widths().size() - 1) {
          h = down.downsample("downsamplers.0.conv", h);
        }
      }
    }
    h = e.middle(h);
    Value moments =
        e.conv3x3("conv_out", e.normSilu("conv_norm_out", h), 2 * config.latentChannels());
    List<Value> halves = g.chunk(moments, 1, 2);
    g.output("mean", halves.get(0));
    g.output("logvar", halves.get(1));
    params.requireAllUsed(namesOutside("encoder."));
    return g;
  }

  private Set<String> namesOutside(String prefix) {
    Set<String> names = new TreeSet<>(weights.names());
    names.removeIf(name -> name.startsWith(prefix));
    return names;
  }
}
