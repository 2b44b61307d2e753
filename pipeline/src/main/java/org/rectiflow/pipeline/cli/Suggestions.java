package org.rectiflow.pipeline.cli;

import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.UnmatchedArgumentException;

/** What a mistyped option or command may have been meant to be. */
public final class Suggestions {
  private static final int MOST_EDITS = 3;

  private Suggestions() {}

  /** The option or subcommand nearest to the first word that was not understood. */
  static Optional<String> of(UnmatchedArgumentException mistake, CommandLine command) {
    String typed = mistake.getUnmatched().getFirst();
    String word = typed.contains("=") ? typed.substring(0, typed.indexOf('=')) : typed;
    Stream<String> names =
        word.startsWith("-")
            ? command.getCommandSpec().optionsMap().keySet().stream()
            : command.getSubcommands().keySet().stream();
    return nearest(word, names);
  }

  /** The name that is at most three edits from {@code word}, if there is one. */
  public static Optional<String> nearest(String word, Stream<String> names) {
    return names
        .filter(name -> edits(word, name) <= MOST_EDITS)
        .min(Comparator.comparingInt(name -> edits(word, name)));
  }

  /** Levenshtein's distance: insertions, deletions and replacements from one word to the other. */
  static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
