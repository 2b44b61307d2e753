package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a valid file and then, usually, breaks it: in its tensors, in the tokens of its JSON, in
 * its bytes, in its header length or in its length. One seed always makes the same file.
 */
final class FuzzMutator {

  /** A file: its first bytes, and its length; all bytes beyond are zero. */
  static final class Input {
    final byte[] head;
    final long length;

    Input(byte[] head, long length) {
      this.head = head;
      this.length = length;
    }
  }

  /** One entry; numbers are text, so that they can be anything. */
  private static final class Entry {
    String name;
    String dtype;
    final List<String> shape = new ArrayList<>();
    String begin;
    String end;

    /** Another name for the same bytes. */
    Entry renamed() {
      Entry other = new Entry();
      other.name = name + "2";
      other.dtype = dtype;
      other.shape.addAll(shape);
      other.begin = begin;
      other.end = end;
      return other;
    }
  }

  private static final List<DType> DTYPES = List.of(DType.values());

  private static final List<String> NUMBERS =
      List.of(
          "0",
          "1",
          "4",
          "8",
          "-1",
          "-0",
          "00",
          "1.0",
          "1e3",
          "1E0",
          "0.0",
          "4294967296",
          "2147483648",
          "4611686018427387904",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "99999999999999999999999999",
          "+1",
          "0x10",
          "NaN",
          "Infinity",
          "1e999",
          "01",
          "1.",
          ".5");

  private static final List<String> TOKENS =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "null",
          "true",
          "false",
          "\"\"",
          "\"x\"",
          "{}",
          "[]",
          "[[]]",
          "\"dtype\"",
          "\"shape\"",
          "\"data_offsets\"",
          "\"__metadata__\"",
          "\"F32\"",
          "\"\\u0046\\u0033\\u0032\"",
          "\"\\ud800\"",
          "\"\\udc00x\"",
          "\"\\ud83d\\ude00\"",
          "\"a\\u0000\"",
          "\"\\n\"",
          "\"\n\"",
          "\"\\x\"",
          "\"",
          "'x'",
          "/**/",
          "//",
          "\ufeff",
          "\u00a0",
          "\u2028",
          "\u007f",
          "\0",
          "NaN",
          "-",
          "\\",
          "tru");

  private static final List<String> GOOD_NAMES =
      List.of(
          ".weight", "caf\u00e9", "\ud83d\ude00", "\uff5e", "\\u0061", "\\\\", "\\\"", "\\/", " ");

  private static final List<String> NAMES =
      List.of(
          "w",
          "a.b.weight",
          "__metadata__",
          "dtype",
          "caf\u00e9",
          "\ud83d\ude00",
          "\uff5e",
          "\u007f",
          "\u0085",
          "\\u0061",
          "\\\\",
          "\\\"",
          "\\/",
          "\\u00e9",
          "\\ud83d\\ude00",
          "\\ud83d",
          "\\n",
          " ",
          "");

  private final SplittableRandom random;

  private FuzzMutator(SplittableRandom random) {
    this.random = random;
  }

  static Input make(long seed) {
    return new FuzzMutator(new SplittableRandom(seed)).make();
  }

  /** JSON text that was an index of shards before some of its tokens were changed. */
  static String brokenIndex(long seed, String valid) {
    FuzzMutator mutator = new FuzzMutator(new SplittableRandom(seed));
    List<String> tokens = tokens(valid);
    for (int left = mutator.random.nextInt(4); left > 0; left--) {
      mutator.breakTokens(tokens);
    }
    return String.join("", tokens);
  }

  private Input make() {
    List<Entry> entries = validEntries();
    long data = entries.stream().mapToLong(e -> Long.parseLong(e.end)).max().orElse(0);
    Collections.shuffle(entries, new Random(random.nextLong()));
    int mutations = chance(25) ? 0 : chance(70) ? 1 : 2 + random.nextInt(3);
    int[] layers = new int[5];
    for (int i = 0; i < mutations; i++) {
      int dice = random.nextInt(100);
      layers[dice < 45 ? 0 : dice < 70 ? 1 : dice < 82 ? 2 : dice < 90 ? 3 : 4]++;
    }
    for (int i = 0; i < layers[0] && !entries.isEmpty(); i++) {
      breakEntries(entries);
    }
    List<String> tokens = tokens(text(entries));
    for (int i = 0; i < layers[1]; i++) {
      breakTokens(tokens);
    }
    if (chance(20)) {
      spread(tokens);
    }
    byte[] header = String.join("", tokens).getBytes(UTF_8);
    if (chance(50)) {
      int length = header.length;
      header = Arrays.copyOf(header, (length + 7) / 8 * 8);
      Arrays.fill(header, length, header.length, (byte) ' ');
    }
    for (int i = 0; i < layers[2]; i++) {
      header = breakBytes(header);
    }
    long claimed = header.length;
    for (int i = 0; i < layers[3]; i++) {
      claimed = breakLength(claimed);
    }
    long length = 8 + header.length + data;
    for (int i = 0; i < layers[4]; i++) {
      length = breakFileLength(length, header.length);
    }
    byte[] head =
        ByteBuffer.allocate(8 + header.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(claimed)
            .put(header)
            .array();
    return new Input(head, length);
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private List<Entry> validEntries() {
    List<Entry> entries = new ArrayList<>();
    long at = 0;
    for (int left = random.nextInt(7); left > 0; left--) {
      Entry entry = new Entry();
      DType dtype = pick(DTYPES);
      entry.dtype = dtype.name();
      entry.name = "t" + left + (chance(20) ? pick(GOOD_NAMES) : "");
      long count = 1;
      for (int rank = random.nextInt(5); rank > 0; rank--) {
        long dim = chance(10) ? 0 : 1 + random.nextInt(chance(5) ? 3000 : 6);
        entry.shape.add(Long.toString(dim));
        count *= dim;
      }
      // Elements smaller than a byte must fill whole bytes.
      if (dtype.bits() < 8) {
        entry.shape.add("4");
        count *= 4;
      }
      entry.begin = Long.toString(at);
      at += count * dtype.bits() / 8;
      entry.end = Long.toString(at);
      entries.add(entry);
    }
    return entries;
  }

  private void breakEntries(List<Entry> entries) {
    Entry entry = pick(entries);
    switch (random.nextInt(15)) {
      case 0 -> entry.begin = number(entry.begin);
      case 1 -> entry.end = number(entry.end);
      case 2 -> {
        int i = random.nextInt(entry.shape.size() + 1);
        if (i == entry.shape.size()) {
          entry.shape.add(pick(NUMBERS));
        } else {
          entry.shape.set(i, number(entry.shape.get(i)));
        }
      }
      case 3 -> entry.dtype = pick(DTYPES).name();
      case 4 -> entry.dtype = chance(50) ? "f32" : "F128";
      case 5 -> entry.name = pick(NAMES);
      case 6 -> entry.name = pick(entries).name;
      case 7 -> entries.add(entry);
      case 8 -> entries.remove(entry);
      case 9, 10 -> {
        int by = random.nextInt(-4, 5) * (chance(50) ? 1 : 1000);
        entry.begin = plus(entry.begin, by);
        entry.end = plus(entry.end, by);
      }
      case 11 -> entries.add(entry.renamed());
      case 12 -> moveEdge(entry);
      case 13 -> {
        Entry other = pick(entries);
        String begin = entry.begin;
        String end = entry.end;
        entry.begin = other.begin;
        entry.end = other.end;
        other.begin = begin;
        other.end = end;
      }
      default -> {
        Entry empty = new Entry();
        empty.name = "empty";
        empty.dtype = pick(DTYPES).name();
        empty.shape.addAll(List.of("0", number("1")));
        empty.begin = chance(70) ? pick(entries).end : number(pick(entries).begin);
        empty.end = empty.begin;
        entries.add(empty);
      }
    }
  }

  /** Makes a tensor a little longer or shorter, shape and all, so that only its place is wrong. */
  private void moveEdge(Entry entry) {
    boolean front = chance(50);
    String begin = front ? plus(entry.begin, random.nextInt(-9, 10)) : entry.begin;
    String end = front ? entry.end : plus(entry.end, random.nextInt(-9, 10));
    if (begin.matches("[0-9]{1,17}") && end.matches("[0-9]{1,17}")) {
      long bytes = Long.parseLong(end) - Long.parseLong(begin);
      entry.dtype = "U8";
      entry.shape.clear();
      entry.shape.add(Long.toString(Math.max(0, bytes)));
      entry.begin = begin;
      entry.end = end;
    }
  }

  private static String plus(String number, int by) {
    return number.matches("[0-9]{1,17}")
        ? Long.toString(Math.max(0, Long.parseLong(number) + by))
        : number;
  }

  /** A number near another, or an odd one. */
  private String number(String from) {
    if (from.matches("[0-9]{1,17}") && chance(60)) {
      return Long.toString(Math.max(0, Long.parseLong(from) + random.nextInt(-9, 10)));
    }
    return pick(NUMBERS);
  }

  private String text(List<Entry> entries) {
    List<String> parts = new ArrayList<>();
    if (chance(30)) {
      parts.add("\"__metadata__\":{" + (chance(70) ? "\"format\":\"pt\"" : "") + "}");
    }
    for (Entry entry : entries) {
      List<String> fields =
          new ArrayList<>(
              List.of(
                  "\"dtype\":\"" + entry.dtype + "\"",
                  "\"shape\":[" + String.join(",", entry.shape) + "]",
                  "\"data_offsets\":[" + entry.begin + "," + entry.end + "]"));
      Collections.shuffle(fields, new Random(random.nextLong()));
      parts.add("\"" + entry.name + "\":{" + String.join(",", fields) + "}");
    }
    return "{" + String.join(",", parts) + "}";
  }

  /** Splits JSON text into punctuation, strings and words. */
  private static List<String> tokens(String text) {
    List<String> tokens = new ArrayList<>();
    Matcher matcher =
        Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|[{}\\[\\],:]|[^\"{}\\[\\],:]+|\"").matcher(text);
    while (matcher.find()) {
      tokens.add(matcher.group());
    }
    return tokens;
  }

  private void breakTokens(List<String> tokens) {
    int at = random.nextInt(tokens.size());
    switch (random.nextInt(8)) {
      case 0 -> tokens.remove(at);
      case 1 -> tokens.add(at, tokens.get(at));
      case 2 -> Collections.swap(tokens, at, random.nextInt(tokens.size()));
      case 3 -> tokens.set(at, pick(TOKENS));
      case 4 -> tokens.add(at, pick(TOKENS));
      case 5 -> tokens.set(at, pick(NUMBERS));
      case 6 -> {
        int deep = 1 << random.nextInt(15);
        tokens.set(at, "[".repeat(deep) + (chance(50) ? "]".repeat(deep) : ""));
      }
      default -> tokens.set(at, pick(tokens));
    }
    if (tokens.isEmpty()) {
      tokens.add(" ");
    }
  }

  /** White space between tokens, which changes nothing. */
  private void spread(List<String> tokens) {
    for (int i = random.nextInt(6); i > 0; i--) {
      tokens.add(random.nextInt(tokens.size() + 1), pick(List.of(" ", "\t", "\n", "\r", "  ")));
    }
  }

  private byte[] breakBytes(byte[] bytes) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    int at = random.nextInt(bytes.length);
    byte[] out = bytes.clone();
    switch (random.nextInt(5)) {
      case 0 -> out[at] = (byte) random.nextInt();
      case 1 -> out[at] ^= (byte) (1 << random.nextInt(8));
      case 2 -> out = Arrays.copyOf(out, at);
      case 3 -> {
        ByteArrayOutputStream longer = new ByteArrayOutputStream();
        longer.write(bytes, 0, at);
        byte[] odd =
            pick(
                List.of(
                    new byte[] {(byte) 0xc0, (byte) 0x80},
                    new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
                    new byte[] {(byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80},
                    new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf},
                    new byte[] {0},
                    new byte[] {(byte) 0xe2, (byte) 0x82}));
        longer.writeBytes(odd);
        longer.write(bytes, at, bytes.length - at);
        out = longer.toByteArray();
      }
      default -> {
        int from = random.nextInt(bytes.length);
        int count = Math.min(random.nextInt(1, 20), bytes.length - Math.max(at, from));
        System.arraycopy(bytes, from, out, at, count);
      }
    }
    return out;
  }

  private long breakLength(long length) {
    return switch (random.nextInt(7)) {
      case 0 -> length + random.nextInt(-9, 10);
      case 1 -> 0;
      case 2 -> random.nextLong();
      case 3 -> length | 1L << random.nextInt(64);
      case 4 ->
          pick(List.of(100_000_000L, 100_000_001L, 1L << 31, -1L, Long.MAX_VALUE, Long.MIN_VALUE));
      case 5 -> length + (1L << 32);
      default -> random.nextLong(Math.max(1, 2 * Math.abs(length)));
    };
  }

  private long breakFileLength(long length, int header) {
    return switch (random.nextInt(5)) {
      case 0 -> Math.max(0, length - 1 - random.nextInt(9));
      case 1 -> length + 1 + random.nextInt(9);
      case 2 -> random.nextLong(length + 1);
      case 3 -> random.nextInt(header + 9);
      default -> length + (1L << random.nextInt(33));
    };
  }
}
