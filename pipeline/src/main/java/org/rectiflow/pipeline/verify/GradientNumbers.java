package org.rectiflow.pipeline.verify;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.verify.Verifier.Memo;
import org.rectiflow.pipeline.verify.Verifier.NumberSource;
import org.rectiflow.pipeline.verify.Verifier.Result;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.training.AdamW;
import org.rectiflow.training.AutoencoderObjective;
import org.rectiflow.training.GradientNorm;
import org.rectiflow.training.Objective;
import org.rectiflow.training.TransformerObjective;
import org.rectiflow.vae.Autoencoder;

/**
 * Our side of a golden file of training:
 *
 * <ul>
 *   <li>{@code in.x0}, {@code in.noise}, {@code in.t}, {@code in.context}, {@code in.pooled}: a
 *       batch, given
 *   <li>{@code loss} and {@code grad.NAME} by each tensor of the transformer: the mean squared
 *       error of v((1-t) x0 + t noise, 1000 t) against noise - x0
 *   <li>{@code adamw.losses}: before each step of AdamW on that batch, and after the last (rate
 *       1e-3, betas 0.9 and 0.999, epsilon 1e-8, decay 0.01, gradients clipped to norm 1); {@code
 *       adamw.after.NAME}: the transformer's tensors after them
 *   <li>{@code vae.in.pixels} and {@code vae.in.noise}, given; {@code vae.loss} and {@code
 *       vae.grad.NAME}: the mean absolute error of the decoded posterior sample plus 1e-3 times the
 *       mean divergence
 * </ul>
 */
final class GradientNumbers implements NumberSource {
  private static final double LEARNING_RATE = 1e-3;
  private static final double CLIP = 1;
  private static final float DIVERGENCE = 1e-3f;
  private static final List<String> BATCH = List.of("x0", "noise", "t", "context", "pooled");
  private static final List<String> PICTURES = List.of("pixels", "noise");

  private final TensorSource golden;
  private final Checkpoint checkpoint;
  private final Backend backend;
  private final NumberSource rest;
  private final Memo<Part, Map<String, Tensor>> computed = new Memo<>();
  private final Map<String, Double> sizes = new HashMap<>();

  /**
   * @param rest answers all other names
   */
  GradientNumbers(TensorSource golden, Checkpoint checkpoint, Backend backend, NumberSource rest) {
    this.golden = golden;
    this.checkpoint = checkpoint;
    this.backend = backend;
    this.rest = rest;
  }

  @Override
  public Result compute(String name) {
    if (name.equals("vae.loss") || name.startsWith("vae.grad.") || name.startsWith("vae.in.")) {
      return of(Part.VAE, name, "vae.in.", PICTURES);
    }
    boolean mine =
        name.equals("loss")
            || name.startsWith("grad.")
            || name.startsWith("adamw.")
            || name.startsWith("in.");
    return mine ? of(Part.TRANSFORMER, name, "in.", BATCH) : rest.compute(name);
  }

  /**
   * A derivative's difference is held against the largest value of its layer: that by the bias of
   * keys is a sum that cancels to nothing.
   */
  @Override
  public double size(String name) {
    if (!name.contains("grad.")) {
      return rest.size(name);
    }
    String layer = name.substring(0, name.lastIndexOf('.') + 1);
    return sizes.computeIfAbsent(
        layer,
        _ -> {
          double size = 0;
          for (String other : golden.tensors().keySet()) {
            if (other.startsWith(layer) && other.indexOf('.', layer.length()) < 0) {
              for (float value : golden.floats(other)) {
                size = Math.max(size, Math.abs(value));
              }
            }
          }
          return size;
        });
  }

  private Result of(Part part, String name, String prefix, List<String> given) {
    Optional<String> missing =
        given.stream()
            .map(prefix::concat)
            .filter(n -> !golden.tensors().containsKey(n))
            .findFirst();
    if (missing.isPresent()) {
      return new Result.LeftOut("the file has no " + missing.get() + " to begin with");
    }
    if (name.startsWith(prefix)) {
      return given.contains(name.substring(prefix.length()))
          ? new Result.Floats(TensorFiles.read(golden, name))
          : new Result.Unknown();
    }
    Tensor tensor =
        computed.get(part, p -> p == Part.VAE ? autoencoder() : transformer()).get(name);
    return tensor == null ? new Result.Unknown() : new Result.Floats(asStored(name, tensor));
  }

  /** Scalars are stored as vectors of one, and the patch embedding as a convolution. */
  private Tensor asStored(String name, Tensor tensor) {
    Shape stored = TensorFiles.read(golden, name).shape();
    return stored.count() == tensor.shape().count() ? new Tensor(stored, tensor.data()) : tensor;
  }

  private Tensor in(String name) {
    return TensorFiles.read(golden, name);
  }

  private Map<String, Tensor> transformer() {
    Tensor x0 = in("in.x0");
    Tensor context = in("in.context");
    Objective objective =
        TransformerObjective.of(
            new TextToImage(checkpoint, backend).mmdit(),
            x0.shape().dim(0),
            x0.shape().dim(2),
            x0.shape().dim(3),
            context.shape().dim(1));
    Map<String, Tensor> batch =
        TransformerObjective.rectifiedFlow(
            x0, in("in.noise"), in("in.t"), context, in("in.pooled"));
    Map<String, Tensor> numbers = new HashMap<>();
    boolean steps = golden.tensors().containsKey("adamw.losses");
    float[] losses = new float[steps ? golden.floats("adamw.losses").length : 1];
    try (Executable executable = backend.compile("mmdit", objective.graph())) {
      AdamW optimizer = new AdamW(AdamW.Settings.TORCH);
      for (int i = 0; i < losses.length; i++) {
        Objective.Result result = objective.evaluate(executable, batch);
        losses[i] = (float) result.loss();
        if (i == 0) {
          numbers.put("loss", Tensor.of(new float[] {losses[0]}, 1));
          result
              .gradients()
              .forEach((name, g) ->
                  numbers.put("grad." + name, new Tensor(g.shape(), g.data().clone())));
        }
        if (i < losses.length - 1) {
          GradientNorm.clip(result.gradients(), CLIP);
          optimizer.step(objective.parameters(), result.gradients(), LEARNING_RATE);
        }
      }
    }
    numbers.put("adamw.losses", Tensor.of(losses, losses.length));
    objective.parameters().forEach((name, value) -> numbers.put("adamw.after." + name, value));
    return numbers;
  }

  private Map<String, Tensor> autoencoder() {
    Tensor pixels = in("vae.in.pixels");
    Autoencoder model =
        new Autoencoder(
            new TextToImage(checkpoint, backend).vaeConfig(), checkpoint.require(Part.VAE));
    Objective objective =
        AutoencoderObjective.of(
            model, pixels.shape().dim(0), pixels.shape().dim(2), pixels.shape().dim(3), DIVERGENCE);
    Map<String, Tensor> numbers = new HashMap<>();
    try (Executable executable = backend.compile("vae", objective.graph())) {
      Objective.Result result =
          objective.evaluate(executable, Map.of("pixels", pixels, "noise", in("vae.in.noise")));
      numbers.put("vae.loss", Tensor.of(new float[] {(float) result.loss()}, 1));
      result.gradients().forEach((name, g) -> numbers.put("vae.grad." + name, g));
    }
    return numbers;
  }
}
