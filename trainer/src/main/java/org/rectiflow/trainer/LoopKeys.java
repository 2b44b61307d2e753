package org.rectiflow.trainer;

import java.util.List;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;
import org.rectiflow.training.AdamW;

/** The keys that every run file may have. */
public final class LoopKeys {
  public static final Key<String> TASK =
      Key.of(
          "task",
          Kind.text(),
          "transformer",
          "What is trained; it decides which other keys there are.");

  public static final Key<Long> SEED =
      Key.of(
          "seed",
          Kind.whole(0),
          0L,
          "Everything random follows from it: initial values, order of the data, noise.");

  public static final Key<Long> STEPS =
      Key.required("steps", Kind.whole(1), "Steps of the optimizer.").changeable();

  public static final Key<Long> BATCH =
      Key.of(
          "batch",
          Kind.whole(1, 1 << 20),
          64L,
          "Samples whose gradients are computed at once. The paper's global batch is 1024 (Appendix B.3).");

  public static final Key<Long> ACCUMULATION =
      Key.of(
          "accumulation",
          Kind.whole(1, 1 << 20),
          1L,
          "Batches whose gradients are averaged for one step.");

  public static final Key<Double> LEARNING_RATE =
      Key.of(
          "optimizer.learning_rate",
          Kind.number(0, 1e3),
          1e-4,
          "AdamW's. The paper: 1e-4 (Appendix B.3).");

  public static final Key<Long> WARMUP =
      Key.of(
          "optimizer.warmup",
          Kind.whole(0),
          1000L,
          "Steps over which the learning rate rises linearly from 0. The paper: 1000.");

  public static final Key<Long> DECAY_STEPS =
      Key.of(
          "optimizer.decay",
          Kind.whole(0),
          0L,
          "The last steps of the run, over which the learning rate falls linearly to 0. The paper: none.");

  public static final Key<Double> BETA1 =
      Key.of(
          "optimizer.beta1",
          Kind.number(0, 1),
          AdamW.Settings.TORCH.beta1(),
          "Decay of the mean of gradients.");

  public static final Key<Double> BETA2 =
      Key.of(
          "optimizer.beta2",
          Kind.number(0, 1),
          AdamW.Settings.TORCH.beta2(),
          "Decay of the mean of squared gradients.");

  public static final Key<Double> EPSILON =
      Key.of(
          "optimizer.epsilon",
          Kind.number(0, 1),
          AdamW.Settings.TORCH.epsilon(),
          "Added to the root of the mean of squares. The paper fine-tunes with 1e-15 (Section 5.3.2).");

  public static final Key<Double> WEIGHT_DECAY =
      Key.of(
          "optimizer.weight_decay",
          Kind.number(0, 1e3),
          AdamW.Settings.TORCH.weightDecay(),
          "Share of a weight that a step of learning rate 1 takes off.");

  public static final Key<Double> CLIP =
      Key.of(
          "optimizer.clip",
          Kind.number(0, Double.MAX_VALUE),
          1.0,
          "The largest norm of all gradients together; longer ones are scaled down to it. 0: no limit.");

  public static final Key<Double> EMA_DECAY =
      Key.of(
          "ema.decay",
          Kind.number(0, 1),
          0.99,
          "What the moving average of the weights keeps of itself at each update. The paper: 0.99.");

  public static final Key<Long> EMA_EVERY =
      Key.of(
          "ema.every",
          Kind.whole(0),
          100L,
          "Steps between updates of the moving average. The paper: 100. 0: no moving average.");

  public static final Key<String> RECOMPUTE =
      Key.of(
              "memory.recompute",
              Kind.oneOf(List.of("auto", "none", "blocks")),
              "auto",
              "Gradient checkpointing. none: the backward pass finds all it needs kept. blocks: it computes each block once more instead of keeping what is in it, which takes less memory and about a third more time. auto: blocks if the planned memory is more than the machine has free, else none. Never changes a result.")
          .changeable();

  public static final Key<Long> LOG_EVERY =
      Key.of("log.every", Kind.whole(1), 10L, "Steps between lines of the log.").changeable();

  public static final Key<Long> VALIDATION_EVERY =
      Key.of("validation.every", Kind.whole(0), 500L, "Steps between validations. 0: none.");

  public static final Key<Long> SAMPLES_EVERY =
      Key.of("samples.every", Kind.whole(0), 1000L, "Steps between sample pictures. 0: none.")
          .changeable();

  public static final Key<Long> CHECKPOINT_EVERY =
      Key.of(
              "checkpoints.every",
              Kind.whole(0),
              1000L,
              "Steps between checkpoints. 0: only at the end. One is also written when the run is interrupted.")
          .changeable();

  public static final Key<Long> CHECKPOINT_KEEP =
      Key.of("checkpoints.keep", Kind.whole(1), 2L, "How many of the latest checkpoints stay.")
          .changeable();

  public static final Key<Boolean> CHECKPOINT_BEST =
      Key.of(
          "checkpoints.best",
          Kind.bool(),
          true,
          "Also keep the checkpoint with the smallest validation loss, under the moving average if there is one, as the paper selects (Appendix B.3).");

  /** All of them, in the order they are explained in. */
  public static final List<Key<?>> ALL =
      List.of(
          TASK,
          SEED,
          STEPS,
          BATCH,
          ACCUMULATION,
          LEARNING_RATE,
          WARMUP,
          DECAY_STEPS,
          BETA1,
          BETA2,
          EPSILON,
          WEIGHT_DECAY,
          CLIP,
          EMA_DECAY,
          EMA_EVERY,
          RECOMPUTE,
          LOG_EVERY,
          VALIDATION_EVERY,
          SAMPLES_EVERY,
          CHECKPOINT_EVERY,
          CHECKPOINT_KEEP,
          CHECKPOINT_BEST);

  private LoopKeys() {}
}
