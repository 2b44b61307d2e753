package org.rectiflow.encoders.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * CLIP's tokenizer written out plainly, for texts without special tokens: the second opinion on
 * what the library is told to do.
 */
final class PlainClip {
  private static final Pattern WORDS =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final JsonNode vocab;
  private final Map<List<String>, Integer> ranks = new HashMap<>();
  private final String[] bytes = new String[256];

  PlainClip(Path folder) throws IOException {
    vocab = new ObjectMapper().readTree(folder.resolve("vocab.json").toFile());
    for (String line : Files.readAllLines(folder.resolve("merges.txt"))) {
      if (!line.startsWith("#version")) {
        ranks.put(List.of(line.split(" ")), ranks.size());
      }
    }
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
      bytes[b] = Character.toString(printable ? b : next++);
    }
  }

  List<Integer> ids(String text) {
    String clean =
        Normalizer.normalize(text, Normalizer.Form.NFC)
            .codePoints()
            .mapToObj(c -> Character.toString(c).toLowerCase(Locale.ROOT))
            .reduce("", String::concat);
    List<Integer> ids = new ArrayList<>();
    for (Matcher word = WORDS.matcher(clean); word.find(); ) {
      List<String> symbols = new ArrayList<>();
      for (byte b : word.group().getBytes(StandardCharsets.UTF_8)) {
        symbols.add(bytes[b & 0xff]);
      }
      symbols.add(symbols.removeLast() + "</w>");
      merge(symbols);
      symbols.forEach(s -> ids.add(vocab.path(s).intValue()));
    }
    return ids;
  }

  private void merge(List<String> symbols) {
    while (true) {
      int best = -1;
      int bestRank = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < symbols.size(); i++) {
        int rank = ranks.getOrDefault(symbols.subList(i, i + 2), Integer.MAX_VALUE);
        if (rank < bestRank) {
          best = i;
          bestRank = rank;
        }
      }
      if (best < 0) {
        return;
      }
      symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
    }
  }
}
