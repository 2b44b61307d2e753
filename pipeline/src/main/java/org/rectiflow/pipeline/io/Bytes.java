package org.rectiflow.pipeline.io;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes for people and from people. */
public final class Bytes {
  private static final double KILO = 1e3;
  private static final double MEGA = 1e6;
  private static final double GIGA = 1e9;

  private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([kmgKMG][bB]?|[bB])");

  private Bytes() {}

  /**
   * Reads {@code 5GB}, {@code 500 MB}, {@code 64kB} or {@code 4096B}: a number alone may be meant
   * in any unit.
   *
   * @param flag the option that it is the value of, for messages
   * @throws UsageException if the text is none of these
   */
  public static long parse(String flag, String text) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      throw new UsageException(
          "%s: '%s' is no size; write one like 5GB or 500MB".formatted(flag, text));
    }
    double unit =
        switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
          case "gb", "g" -> GIGA;
          case "mb", "m" -> MEGA;
          case "kb", "k" -> KILO;
          default -> 1;
        };
    long bytes = (long) (Double.parseDouble(matcher.group(1)) * unit);
    if (bytes < 1) {
      throw new UsageException("%s: '%s' is no size above zero".formatted(flag, text));
    }
    return bytes;
  }

  /** {@code 4.3 GB}, {@code 23.0 MB}, {@code 1.5 kB}, with powers of ten as disks are sold. */
  public static String text(long bytes) {
    if (bytes >= GIGA) {
      return String.format(Locale.ROOT, "%.1f GB", bytes / GIGA);
    }
    return bytes >= MEGA
        ? String.format(Locale.ROOT, "%.1f MB", bytes / MEGA)
        : String.format(Locale.ROOT, "%.1f kB", bytes / KILO);
  }
}
