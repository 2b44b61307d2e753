package org.rectiflow.pipeline.verify;

import java.util.List;
import java.util.function.Consumer;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/**
 * How a model stands to a golden file.
 *
 * @param comparisons one for each tensor that was recomputed
 * @param leftOut tensors that could not be answered, each with the reason
 * @param unknown names that are not of the known form
 * @param dump our tensors under the same names, ready to be written
 */
public record Verification(
    List<Comparison> comparisons,
    List<String> leftOut,
    List<String> unknown,
    SafetensorsWriter dump) {

  /**
   * Recomputes every tensor of {@code golden}.
   *
   * @param report hears each comparison as it is made
   */
  public static Verification of(
      TensorSource golden, Checkpoint checkpoint, Backend backend, Consumer<Comparison> report) {
    Verifier.NumberSource cases = new CaseNumbers(golden, checkpoint, backend);
    Verifier verifier =
        new Verifier(golden, new GradientNumbers(golden, checkpoint, backend, cases));
    verifier.run(report);
    return new Verification(
        verifier.comparisons(), verifier.leftOut(), verifier.unknown(), verifier.dump());
  }

  /** How many tensors are beyond their tolerance. */
  public long failed() {
    return comparisons.stream().filter(c -> !c.passes()).count();
  }

  /** Whether something was compared, all of it within tolerance, and no name was strange. */
  public boolean passes() {
    return !comparisons.isEmpty() && failed() == 0 && unknown.isEmpty();
  }
}
