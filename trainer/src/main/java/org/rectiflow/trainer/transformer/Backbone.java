package org.rectiflow.trainer.transformer;

import java.util.List;
import java.util.ServiceLoader;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

/** A kind of network that can be trained; found through {@link ServiceLoader}. */
public interface Backbone {

  /** What {@code model.backbone} says. */
  String name();

  /**
   * The network.
   *
   * @param config its sizes
   * @param clipTokens how many of the context's tokens come from the CLIPs; the rest are T5's
   * @param weights its tensors; all are trained but the table of positions
   */
  VelocityModel model(MmditConfig config, int clipTokens, WeightSource weights);

  /** Whether a tensor begins at zero under {@code model.init = "dit"}. */
  default boolean beginsAtZero(String name) {
    return name.contains("norm1.linear.")
        || name.contains("norm1_context.linear.")
        || name.startsWith("norm_out.linear.")
        || name.startsWith("proj_out.");
  }

  /** Whether a tensor embeds timestep or pooled prompt. */
  default boolean embedsConditioning(String name) {
    return name.startsWith("time_text_embed.");
  }

  /** All backbones on the class path. */
  static List<Backbone> all() {
    return ServiceLoader.load(Backbone.class).stream().map(ServiceLoader.Provider::get).toList();
  }
}
