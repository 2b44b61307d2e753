package org.rectiflow.pipeline.checkpoint;

import java.util.Collection;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Files that users confuse with checkpoints of Stable Diffusion 3, recognised by the names of their
 * tensors.
 *
 * @param what what it is
 * @param remedy what to do
 */
record Foreign(String what, String remedy) {
  private static final String OTHER_MODEL =
      "Rectiflow runs Stable Diffusion 3 and 3.5; take a checkpoint of one of these.";

  /** What the names belong to, if it is nothing of Stable Diffusion 3's own layouts. */
  static Optional<Foreign> of(Collection<String> names) {
    if (any(names, Foreign::isLora)) {
      return Optional.of(
          new Foreign(
              "a LoRA (low-rank changes to a model, not a model)",
              "This version does not apply LoRAs; --model takes a whole checkpoint."));
    }
    if (any(names, name -> name.endsWith("scaled_fp8") || name.endsWith(".scale_weight"))) {
      return Optional.of(
          new Foreign(
              "a checkpoint with scaled 8-bit weights (fp8_scaled)",
              "Its numbers need scales that are not part of the published layouts; take the file in fp16, or the one whose name ends in fp8_e4m3fn."));
    }
    if (any(names, name -> name.contains("controlnet_blocks."))) {
      return Optional.of(
          new Foreign(
              "a ControlNet",
              "This version has no ControlNets; --model takes a whole checkpoint."));
    }
    if (any(
        names,
        name ->
            name.contains("double_blocks.0.img_attn.")
                || name.contains("single_transformer_blocks.0."))) {
      return Optional.of(new Foreign("a FLUX transformer", OTHER_MODEL));
    }
    if (any(
        names,
        name ->
            name.contains("input_blocks.0.0.") || name.startsWith("down_blocks.0.attentions"))) {
      return Optional.of(new Foreign("a U-Net of Stable Diffusion 1, 2 or XL", OTHER_MODEL));
    }
    return Optional.empty();
  }

  private static boolean any(Collection<String> names, Predicate<String> test) {
    return names.stream().anyMatch(test);
  }

  private static boolean isLora(String name) {
    return name.contains(".lora_A.")
        || name.contains(".lora_B.")
        || name.contains("lora_up.")
        || name.contains("lora_down.")
        || name.startsWith("lora_")
        || name.contains(".lora.");
  }
}
