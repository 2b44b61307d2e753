package org.rectiflow.pipeline.memory;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.Bytes;
import org.rectiflow.pipeline.io.UserException;

/**
 * The memory that drawing a picture takes. Encoding, denoising and decoding follow each other: each
 * needs its activations, and reads its weights from mapped files, for which the system keeps as
 * much memory as it has to spare.
 *
 * @param weights bytes of the files of the parts in use
 * @param encoding bytes of activations of all text encoders together
 * @param denoising bytes of activations of the transformer
 * @param decoding bytes of activations of the autoencoder, beside the transformer's
 * @param tiled the same if it decoded in tiles; empty if it does already
 * @param heap bytes of data in the Java heap
 * @param runtime bytes that Java takes besides: its code, the kernels' buffers, and garbage that it
 *     lets gather in the heap
 */
public record MemoryNeed(
    Map<Part, Long> weights,
    long encoding,
    long denoising,
    long decoding,
    Optional<Long> tiled,
    long heap,
    long runtime) {

  /** A tile that saves memory and keeps its seams invisible. */
  public static final int TILE = 64;

  public MemoryNeed {
    weights = weights.isEmpty() ? Map.of() : new EnumMap<>(weights);
  }

  /** The most activation memory at one time. */
  public long activations() {
    return Math.max(encoding, denoising + decoding);
  }

  /** What must be there, whatever the system does with the files' pages. */
  public long resident() {
    return activations() + heap + runtime;
  }

  /** The weights of the stage that has the most of them; they are read over and over. */
  private long largestWeights() {
    long transformer = weights.getOrDefault(Part.TRANSFORMER, 0L);
    long t5 = weights.getOrDefault(Part.T5, 0L);
    return Math.max(transformer, t5);
  }

  /** One line for people. */
  public String line(MachineMemory machine) {
    StringJoiner parts = new StringJoiner(", ");
    weights.forEach((part, bytes) -> parts.add(part.title() + " " + Bytes.text(bytes)));
    long all = weights.values().stream().mapToLong(Long::longValue).sum();
    return "memory: weights %s mapped (%s), activations %s, heap %s, Java %s; %s has %s available"
        .formatted(
            Bytes.text(all),
            parts,
            Bytes.text(activations()),
            Bytes.text(heap),
            Bytes.text(runtime),
            machine.limit(),
            Bytes.text(machine.available()));
  }

  /** A warning that it will be slow because the weights do not stay in memory. */
  public Optional<String> warning(MachineMemory machine) {
    long together = resident() + largestWeights();
    return together <= machine.available() || resident() > machine.available()
        ? Optional.empty()
        : Optional.of(
            "the weights and activations of one stage take %s together, %s has %s available: weights will be read from the disk again and again, which is slow. %s"
                .formatted(
                    Bytes.text(together),
                    machine.limit(),
                    Bytes.text(machine.available()),
                    remedies()));
  }

  /**
   * Checks that it fits.
   *
   * @throws UserException with the numbers and what helps, if it does not
   */
  public void require(MachineMemory machine) {
    if (heap > machine.heap()) {
      throw new UserException(
          "this needs %s of Java heap, and Java may take %s. Give it more, for instance with RECTIFLOW_JAVA_OPTS=-Xmx%dm, or make the picture smaller with --size."
              .formatted(Bytes.text(heap), Bytes.text(machine.heap()), 2 * heap / (1 << 20) + 1));
    }
    if (resident() > machine.available()) {
      throw new UserException(
          "this cannot fit: it needs %s (activations: text encoders %s, transformer %s, autoencoder %s; Java %s), and %s has %s available of %s. %s --force-memory tries it anyway."
              .formatted(
                  Bytes.text(resident()),
                  Bytes.text(encoding),
                  Bytes.text(denoising),
                  Bytes.text(decoding),
                  Bytes.text(heap + runtime),
                  machine.limit(),
                  Bytes.text(machine.available()),
                  Bytes.text(machine.total()),
                  remedies()));
    }
  }

  /** What helps, the most effective first. */
  private String remedies() {
    StringJoiner remedies = new StringJoiner(", ");
    if (tiled.isPresent() && tiled.get() < decoding && encoding < denoising + decoding) {
      remedies.add(
          "decode in tiles with --tile %d (%s instead of %s)"
              .formatted(TILE, Bytes.text(tiled.get()), Bytes.text(decoding)));
    }
    remedies.add("make the picture smaller with --size");
    long t5 = weights.getOrDefault(Part.T5, 0L);
    if (t5 > weights.getOrDefault(Part.TRANSFORMER, 0L) || encoding > denoising + decoding) {
      remedies.add("leave T5 out with --no-t5 (%s of weights)".formatted(Bytes.text(t5)));
    }
    remedies.add("close other programs");
    String text = remedies.toString();
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) + ".";
  }
}
