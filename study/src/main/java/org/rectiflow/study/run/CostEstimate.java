package org.rectiflow.study.run;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.backbones.Backbone;
import org.rectiflow.backbones.BackboneConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Cost;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.ControlSetting.Sampler;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.transformer.TransformerKeys;
import org.rectiflow.training.InitialValues;
import org.rectiflow.training.PromptTower.Encoder;

/**
 * What a study's runs will take, told before they begin: the operations of the graphs, a training
 * step counted as three forward passes, divided by the speed at which one forward pass was just
 * measured. Encoding the data, decoding, validation and preparations come on top.
 *
 * @param trainingFlops of all runs
 * @param measuringFlops of all runs
 * @param flopsPerSecond measured
 */
public record CostEstimate(double trainingFlops, double measuringFlops, double flopsPerSecond) {
  private static final int BACKWARD_AND_FORWARD = 3;

  /** Seconds of rounds before the fastest counts: Java's compiler needs some. */
  private static final double WARM = 3;

  private static final int LEAST_ROUNDS = 3;

  /** Seconds. */
  public double seconds() {
    return (trainingFlops + measuringFlops) / flopsPerSecond;
  }

  /**
   * Estimates.
   *
   * @param cells the runs that are left
   * @param base of all of them, for its sizes; where runs have others, these stand for theirs
   */
  public static CostEstimate of(
      StudyPlan plan, Iterable<Cell> cells, Checkpoint base, Backend backend) {
    TextToImage pipeline = TextToImage.withoutTransformer(base, backend);
    int factor = pipeline.vaeConfig().factor();
    Map<BackboneConfig, Double> forward = new HashMap<>();
    double training = 0;
    double measuring = 0;
    double speed = 0;
    for (Cell cell : cells) {
      Settings s = cell.settings();
      PromptEncoding empty;
      try (PromptEncoder encoders =
          pipeline.encoders(s.number(TransformerKeys.T5_TOKENS), Set.of())) {
        empty = encoders.encode(Prompts.all(""));
      }
      int tokens = empty.embedding().context().shape().dim(1);
      int side = s.number(DataKeys.SIZE) / factor;
      BackboneConfig config = config(s, pipeline, side, tokens);
      int batch = s.number(LoopKeys.BATCH);
      if (!forward.containsKey(config)) {
        Graph graph = graph(plan, cell, config, batch, side, tokens);
        forward.put(config, flops(graph) / batch);
        if (speed == 0) {
          speed = flops(graph) / seconds(graph, backend);
        }
      }
      double each = forward.get(config);
      double samples = (double) batch * s.number(LoopKeys.ACCUMULATION) * s.get(LoopKeys.STEPS);
      training += BACKWARD_AND_FORWARD * (each + encoders(s, base, empty)) * samples;
      measuring += each * calls(plan.evaluation());
    }
    return new CostEstimate(training, measuring, speed);
  }

  /** Operations of the text encoders that are trained, for one prompt. */
  private static double encoders(Settings s, Checkpoint base, PromptEncoding like) {
    double sum = 0;
    for (Encoder encoder : TransformerKeys.trained(s)) {
      sum +=
          flops(
              switch (encoder) {
                case CLIP_L -> clip(base, Part.CLIP_L, like.clipL());
                case CLIP_G -> clip(base, Part.CLIP_G, like.clipG());
                case T5 ->
                    new T5Encoder(base.t5Config(), base.require(Part.T5))
                        .graph(1, like.t5().orElseThrow().shape().dim(1));
              });
    }
    return sum;
  }

  private static Graph clip(Checkpoint base, Part part, Optional<ClipOutput> like) {
    return new ClipTextModel(base.clipConfig(part), base.require(part))
        .graph(1, like.orElseThrow().penultimate().shape().dim(1));
  }

  private static BackboneConfig config(Settings s, TextToImage like, int side, int tokens) {
    int depth = s.number(TransformerKeys.DEPTH);
    int width = s.number(TransformerKeys.WIDTH);
    int full = width == 0 ? depth * MmditConfig.HEAD_SIZE : width;
    MmditConfig sizes =
        new MmditConfig(
            depth,
            full,
            full / MmditConfig.HEAD_SIZE,
            like.vaeConfig().latentChannels(),
            s.number(TransformerKeys.PATCH),
            like.contextWidth(),
            like.pooledWidth(),
            side,
            s.get(TransformerKeys.QK_NORM),
            Set.of());
    return new BackboneConfig(
        Backbone.of(s.get(TransformerKeys.BACKBONE)), sizes, Math.max(1, tokens / 2));
  }

  private static Graph graph(
      StudyPlan plan, Cell cell, BackboneConfig config, int batch, int side, int tokens) {
    InitialValues zeros = new InitialValues((_, _, _, _, _) -> {}, 0, Map.of());
    try {
      return config.model(zeros).graph(batch, side, side, tokens, false);
    } catch (IllegalArgumentException e) {
      throw new UserException(
          "%s: the network of the run %s cannot be built: %s"
              .formatted(plan.study().file(), cell.labels(), e.getMessage()),
          e);
    }
  }

  private static double flops(Graph graph) {
    double sum = 0;
    for (Node node : graph.nodes()) {
      sum += Cost.of(graph, node).flops();
    }
    return sum;
  }

  /** Of the fastest of some runs. */
  private static double seconds(Graph graph, Backend backend) {
    Map<String, Feed> feeds = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof org.rectiflow.engine.Op.Input input) {
        feeds.put(input.name(), Feed.of(Tensor.zeros(input.shape())));
      }
    }
    double best = Double.POSITIVE_INFINITY;
    try (Executable executable = backend.compile("estimate", graph)) {
      double spent = 0;
      for (int i = 0; i < LEAST_ROUNDS || spent < WARM; i++) {
        long begin = System.nanoTime();
        executable.run(feeds);
        double seconds = (System.nanoTime() - begin) * 1e-9;
        spent += seconds;
        best = Math.min(best, seconds);
      }
    }
    return best;
  }

  /** Calls of the network for single pictures that measuring one run takes. */
  private static double calls(Evaluation evaluation) {
    double calls = 0;
    for (Sampler sampler : evaluation.samplers()) {
      calls += sampler.steps() * (sampler.guidance() == 1 ? 1.0 : 2.0);
    }
    return calls * evaluation.samples() * evaluation.weights().size();
  }
}
