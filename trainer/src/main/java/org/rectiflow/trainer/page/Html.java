package org.rectiflow.trainer.page;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Text and numbers in HTML. */
final class Html {
  private static final int DIGITS = 4;

  private Html() {}

  /** Formats in the same way in every country. */
  @SuppressWarnings("AnnotateFormatMethod") // the annotation is not worth a dependency
  static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  /** Four digits, as people write numbers. */
  static String number(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return value == 0 ? "0" : String.valueOf(value);
    }
    double size = Math.abs(value);
    if (size >= 1e6 || size < 1e-3) {
      return format("%.2e", value).replaceAll("\\.?0*e", "e");
    }
    return new BigDecimal(value)
        .round(new MathContext(DIGITS))
        .stripTrailingZeros()
        .toPlainString();
  }

  /** Such as "2 h 05 min". */
  static String duration(double seconds) {
    long all = Math.round(seconds);
    if (all < 60) {
      return all + " s";
    }
    return all < 3600
        ? format("%d min %02d s", all / 60, all % 60)
        : format("%d h %02d min", all / 3600, all % 3600 / 60);
  }
}
