package org.rectiflow.pipeline.cli;

import java.util.EnumSet;
import java.util.Set;
import org.rectiflow.pipeline.Preset;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UsageException;
import picocli.CommandLine.Option;

/** The options that say which text encoders are used, and how much T5 reads. */
final class EncoderOptions {
  /** As in diffusers' pipeline. */
  private static final int MOST_T5_TOKENS = 512;

  @Option(names = "--no-t5", description = "Leave T5 out; zeros take its place.")
  private boolean noT5;

  @Option(names = "--no-clip-l", description = "Leave CLIP-L out.")
  private boolean noClipL;

  @Option(names = "--no-clip-g", description = "Leave CLIP-G out.")
  private boolean noClipG;

  @Option(
      names = "--t5-tokens",
      paramLabel = "N",
      description = "Length of T5's sequence at most, up to 512; default: the preset's.")
  private Integer t5Tokens;

  /** Those that are left out. */
  Set<Part> dropped() {
    Set<Part> dropped = EnumSet.noneOf(Part.class);
    if (noT5) {
      dropped.add(Part.T5);
    }
    if (noClipL) {
      dropped.add(Part.CLIP_L);
    }
    if (noClipG) {
      dropped.add(Part.CLIP_G);
    }
    return dropped;
  }

  /**
   * Looks at the options alone, before anything is opened.
   *
   * @throws UsageException if a value cannot be
   */
  void check() {
    UsageException.requireWithin("--t5-tokens", 1, MOST_T5_TOKENS, t5Tokens);
  }

  int t5Tokens(Preset preset) {
    return t5Tokens == null ? preset.t5Tokens() : t5Tokens;
  }
}
