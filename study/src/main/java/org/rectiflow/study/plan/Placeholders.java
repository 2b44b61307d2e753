package org.rectiflow.study.plan;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.rectiflow.pipeline.io.UserException;

/** {@code {NAME}} in texts of a study. */
public final class Placeholders {
  private static final Pattern NAME = Pattern.compile("\\{([A-Za-z0-9_-]+)\\}");

  private Placeholders() {}

  /**
   * Fills them in.
   *
   * @param place of the text, for messages
   * @throws UserException if a name is not among {@code values}
   */
  public static String fill(String text, Map<String, String> values, String place) {
    Matcher matcher = NAME.matcher(text);
    StringBuilder out = new StringBuilder();
    while (matcher.find()) {
      String value = values.get(matcher.group(1));
      if (value == null) {
        throw new UserException(
            "%s: '%s' names no preparation of the study; there %s"
                .formatted(
                    place,
                    matcher.group(),
                    values.isEmpty() ? "is none" : "are " + String.join(", ", values.keySet())));
      }
      matcher.appendReplacement(out, Matcher.quoteReplacement(value));
    }
    return matcher.appendTail(out).toString();
  }
}
