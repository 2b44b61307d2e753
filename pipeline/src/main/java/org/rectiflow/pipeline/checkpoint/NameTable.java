package org.rectiflow.pipeline.checkpoint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the tensors of a model are called in the original single files and in diffusers' folders, and
 * what changed besides the names. A table has rows for every tensor the model may have; a
 * checkpoint has some of them.
 */
public final class NameTable {

  /** What diffusers made of an original tensor. */
  public enum Change {
    /** Nothing but the name. */
    SAME,
    /** Cut along the rows into three: queries, keys, values. */
    THIRDS,
    /** The two halves of the rows exchanged: (shift, scale) became (scale, shift). */
    HALVES_SWAPPED,
    /** A 1x1 convolution [n, k, 1, 1] became a matrix [n, k]. */
    SQUEEZED
  }

  /**
   * One row.
   *
   * @param original the name in single files
   * @param ours diffusers' name, or three of them for {@link Change#THIRDS}
   */
  public record Row(String original, List<String> ours, Change change) {}

  private final Map<String, Row> byOriginal = new LinkedHashMap<>();
  private final Map<String, Row> byOurs = new HashMap<>();

  NameTable add(String original, Change change, String... ours) {
    Row row = new Row(original, List.of(ours), change);
    byOriginal.put(original, row);
    row.ours().forEach(name -> byOurs.put(name, row));
    return this;
  }

  /** A layer's {@code .weight} and {@code .bias}. */
  NameTable layer(String original, Change change, String... ours) {
    for (String end : List.of(".weight", ".bias")) {
      // A convolution's bias is a vector with or without the 1x1.
      Change own = change == Change.SQUEEZED && end.equals(".bias") ? Change.SAME : change;
      String[] names = new String[ours.length];
      for (int i = 0; i < ours.length; i++) {
        names[i] = ours[i] + end;
      }
      add(original + end, own, names);
    }
    return this;
  }

  /** The row of an original name. */
  public Optional<Row> ofOriginal(String name) {
    return Optional.ofNullable(byOriginal.get(name));
  }

  /** The row of one of diffusers' names. */
  public Optional<Row> ofOurs(String name) {
    return Optional.ofNullable(byOurs.get(name));
  }

  /** All rows. */
  public List<Row> rows() {
    return new ArrayList<>(byOriginal.values());
  }

  /** One more than the largest number that {@code pattern}'s group finds in a name; 0 if none. */
  static int count(Iterable<String> names, Pattern pattern) {
    int count = 0;
    for (String name : names) {
      Matcher matcher = pattern.matcher(name);
      if (matcher.find()) {
        count = Math.max(count, Integer.parseInt(matcher.group(1)) + 1);
      }
    }
    return count;
  }
}
