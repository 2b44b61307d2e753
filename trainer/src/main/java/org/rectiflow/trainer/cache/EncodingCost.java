package org.rectiflow.trainer.cache;

import java.util.List;
import java.util.Locale;
import org.rectiflow.evaluation.PreEncoding;

/**
 * What one frozen network costs, as a row of Table 7: to hold, to run, and to store its outputs
 * instead.
 *
 * @param encoder weights and the numbers it gives for an example
 * @param encoded examples (pictures or distinct captions) that went through it this time
 * @param reused those that were in the cache
 * @param seconds that the encoding took
 */
public record EncodingCost(PreEncoding.Encoder encoder, long encoded, long reused, double seconds) {

  /** Milliseconds of a forward pass for one example; NaN if none was needed. */
  public double milliseconds() {
    return encoded == 0 ? Double.NaN : 1000 * seconds / encoded;
  }

  /**
   * Bytes that the cache holds for one example: single precision throughout, so nothing is lost.
   */
  public long bytes() {
    return Float.BYTES * (encoder.sequence() + encoder.vector());
  }

  /** The same network's cost with that of further examples. */
  EncodingCost plus(EncodingCost more) {
    return new EncodingCost(
        encoder, encoded + more.encoded, reused + more.reused, seconds + more.seconds);
  }

  /** The rows for people, with a heading, in Table 7's units. */
  public static String table(List<EncodingCost> rows) {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%-16s %10s %10s %12s %9s %9s%n",
                "encoding",
                "Mem [GB]",
                "FP [ms]",
                "Storage [kB]",
                "encoded",
                "reused"));
    for (EncodingCost row : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "%-16s %10.4f %10s %12.2f %9d %9d%n",
              row.encoder().name(),
              row.encoder().memoryBytes() / 1e9,
              row.encoded() == 0 ? "-" : fixed(3, row.milliseconds()),
              row.bytes() / 1e3,
              row.encoded(),
              row.reused()));
    }
    return text.toString();
  }

  /**
   * All columns of Table 7, of the networks that were run: the last is what encoding in every
   * training step would add to it.
   *
   * @param samplesPerSecond that were trained on with what was encoded before
   */
  public static String table(List<EncodingCost> rows, double samplesPerSecond) {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "if each step encoded its samples (%.1f/s with the cache):%n%-16s %10s %10s %12s %10s%n",
                samplesPerSecond,
                "encoding",
                "Mem [GB]",
                "FP [ms]",
                "Storage [kB]",
                "\u0394 step [%]"));
    for (EncodingCost row : rows) {
      if (row.encoded() > 0) {
        text.append(
            String.format(
                Locale.ROOT,
                "%-16s %10.4f %10.3f %12.2f %10.1f%n",
                row.encoder().name(),
                row.encoder().memoryBytes() / 1e9,
                row.milliseconds(),
                row.bytes() / 1e3,
                PreEncoding.stepIncreasePercent(row.milliseconds(), samplesPerSecond)));
      }
    }
    return text.toString();
  }

  private static String fixed(int digits, double value) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  /** The rows as CSV with a heading, in Table 7's units: 10^9 and 10^3 bytes. */
  public static String csv(List<EncodingCost> rows) {
    StringBuilder text =
        new StringBuilder(
            "network,weights_GB,forward_ms,storage_kB,storage_fp16_kB,encoded,reused\n");
    for (EncodingCost row : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "%s,%.6f,%s,%.3f,%.3f,%d,%d\n",
              row.encoder().name(),
              row.encoder().memoryBytes() / 1e9,
              row.encoded() == 0 ? "" : String.format(Locale.ROOT, "%.3f", row.milliseconds()),
              row.bytes() / 1e3,
              row.encoder().storageBytes() / 1e3,
              row.encoded(),
              row.reused()));
    }
    return text.toString();
  }
}
