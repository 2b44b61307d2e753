package org.rectiflow.benchmarks.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A picture's size in pixels. */
record Size(int width, int height) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,5})(?:[xX](\\d{1,5}))?");

  /** Latents have an eighth of the pixels, tokens two by two of those. */
  private static final int STEP = 16;

  @Override
  public String toString() {
    return width + "x" + height;
  }

  /** Reads {@code 512} or {@code 768x512}. */
  static final class Converter implements ITypeConverter<Size> {
    @Override
    public Size convert(String text) {
      Matcher matcher = FORM.matcher(text.strip());
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "'" + text + "' is no size; write WIDTHxHEIGHT in pixels, such as 512x512");
      }
      int width = Integer.parseInt(matcher.group(1));
      int height = matcher.group(2) == null ? width : Integer.parseInt(matcher.group(2));
      if (width < STEP || height < STEP || width % STEP != 0 || height % STEP != 0) {
        throw new TypeConversionException(
            "%s: sides must be multiples of %d pixels, at least %d".formatted(text, STEP, STEP));
      }
      return new Size(width, height);
    }
  }
}
