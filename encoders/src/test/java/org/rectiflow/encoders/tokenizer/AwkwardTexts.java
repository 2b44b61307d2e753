package org.rectiflow.encoders.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Prompts as people and programs type them, and random ones from the corners of Unicode. */
final class AwkwardTexts {
  private static final List<String> TYPED =
      List.of(
          "",
          " ",
          " \t\n\r ",
          "!",
          "!!!",
          "wow!!! a RED   circle",
          "it's they'll I'm we've don't she'd you're",
          "IT'S THEY'LL I'M",
          "o'clock 'sup 'tis 's",
          "2024 10x20 1,234.5 ½ ²",
          "caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m A\u030angstro\u0308m",
          "\u0130stanbul \u0131 STRASSE stra\u00dfe \u1e9e",
          "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03a3\u03c2\u03c3",
          "ﬁne ﬂow ﬃ ｆｕｌｌｗｉｄｔｈ ①②",
          "a🦄b 👩‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️",
          "赤い丸と青い四角 빨간 원 красный круг دائرة حمراء עיגול अ ไทย",
          "zero\u200bwidth\u200djoiner\ufeffbom\u00adsoft",
          "non\u00a0breaking\u2003em\u3000ideographic\u2028line\u0085next",
          "control\u0000\u0001\u0007\u001b\u007f\u0080 end",
          "<|startoftext|> a <|endoftext|> b<|endoftext|>",
          "</s> <pad> <unk> <extra_id_0> <extra_id_99>x",
          "<b>bold</b> & \"quotes\" (weight:1.2) [a|b] {x}",
          "snake_case camelCase kebab-case a/b\\c #tag @name $5 50% ~ ^ `",
          "▁under▁ Ġbyte",
          "......---***___",
          "a".repeat(300),
          "triangle".repeat(40),
          "a red circle to the left of a blue square, ".repeat(20),
          "\ud835\udd38\ud835\udd39 \ud840\udc00 \udbff\udfff \uffff \ufffd");

  private static final String[] PARTS = {
    "a", "red", "Circle", " ", "  ", "'s", "'", "1", "42", "!", ",", "\u0301", "é", "ß", "İ", "Σ",
    "🦄", "\u200d", "\ufe0f", "中", "の", "ｱ", "\u3099", "\u1100", "\u1161", "\n", "\t", "\u00a0",
    "-", "_", "<", "|", ">", "</w>", "▁", "½", "①", "ﬁ", "ﷺ", "\u0e33", "\u0600", "\u202e"
  };

  private AwkwardTexts() {}

  /** The typed prompts and {@code n} random ones, the same at every run. */
  static List<String> all(int n) {
    List<String> texts = new ArrayList<>(TYPED);
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < n; i++) {
      StringBuilder text = new StringBuilder();
      for (int left = random.nextInt(1, 24); left > 0; left--) {
        if (random.nextInt(4) > 0) {
          text.append(PARTS[random.nextInt(PARTS.length)]);
        } else {
          int point = random.nextInt(4) > 0 ? random.nextInt(0x3000) : random.nextInt(0x20000);
          if (Character.isDefined(point) && !inSurrogates(point)) {
            text.appendCodePoint(point);
          }
        }
      }
      texts.add(text.toString());
    }
    return texts;
  }

  private static boolean inSurrogates(int point) {
    return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
  }
}
