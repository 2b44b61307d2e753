package org.rectiflow.safetensors;

import static org.rectiflow.safetensors.TestFiles.entry;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The tensors of a header, right at first, then mutated. */
final class FuzzEntries {

  private FuzzEntries() {}

  /** One entry; numbers are text, so that they can be anything. */
  static final class Entry {
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

  static final List<String> NUMBERS =
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

  static List<Entry> valid(FuzzRandom random) {
    List<Entry> entries = new ArrayList<>();
    long at = 0;
    for (int left = random.nextInt(7); left > 0; left--) {
      Entry entry = new Entry();
      DType dtype = random.pick(DTYPES);
      entry.dtype = dtype.name();
      entry.name = "t" + left + (random.chance(20) ? random.pick(GOOD_NAMES) : "");
      long count = 1;
      for (int rank = random.nextInt(5); rank > 0; rank--) {
        long dim =
            random.chance(10)
                ? 0
                : 1 + random.nextInt(random.chance(5) && count < 10_000 ? 3000 : 6);
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

  static void mutate(List<Entry> entries, FuzzRandom random) {
    Entry entry = random.pick(entries);
    switch (random.nextInt(15)) {
      case 0 -> entry.begin = number(entry.begin, random);
      case 1 -> entry.end = number(entry.end, random);
      case 2 -> {
        int i = random.nextInt(entry.shape.size() + 1);
        if (i == entry.shape.size()) {
          entry.shape.add(random.pick(NUMBERS));
        } else {
          entry.shape.set(i, number(entry.shape.get(i), random));
        }
      }
      case 3 -> entry.dtype = random.pick(DTYPES).name();
      case 4 -> entry.dtype = random.chance(50) ? "f32" : "F128";
      case 5 -> entry.name = random.pick(NAMES);
      case 6 -> entry.name = random.pick(entries).name;
      case 7 -> entries.add(entry);
      case 8 -> entries.remove(entry);
      case 9, 10 -> {
        int by = random.nextInt(-4, 5) * (random.chance(50) ? 1 : 1000);
        entry.begin = plus(entry.begin, by);
        entry.end = plus(entry.end, by);
      }
      case 11 -> entries.add(entry.renamed());
      case 12 -> moveEdge(entry, random);
      case 13 -> {
        Entry other = random.pick(entries);
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
        empty.dtype = random.pick(DTYPES).name();
        empty.shape.addAll(List.of("0", number("1", random)));
        empty.begin =
            random.chance(70)
                ? random.pick(entries).end
                : number(random.pick(entries).begin, random);
        empty.end = empty.begin;
        entries.add(empty);
      }
    }
  }

  /** Makes a tensor a little longer or shorter, shape and all, so that only its place is wrong. */
  private static void moveEdge(Entry entry, FuzzRandom random) {
    boolean front = random.chance(50);
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
  private static String number(String from, FuzzRandom random) {
    if (from.matches("[0-9]{1,17}") && random.chance(60)) {
      return Long.toString(Math.max(0, Long.parseLong(from) + random.nextInt(-9, 10)));
    }
    return random.pick(NUMBERS);
  }

  static String text(List<Entry> entries, FuzzRandom random) {
    List<String> parts = new ArrayList<>();
    if (random.chance(30)) {
      parts.add("\"__metadata__\":{" + (random.chance(70) ? "\"format\":\"pt\"" : "") + "}");
    }
    for (Entry entry : entries) {
      List<String> fields =
          new ArrayList<>(
              List.of(
                  "\"dtype\":\"" + entry.dtype + "\"",
                  "\"shape\":[" + String.join(",", entry.shape) + "]",
                  "\"data_offsets\":[" + entry.begin + "," + entry.end + "]"));
      Collections.shuffle(fields, random.shuffling());
      parts.add("\"" + entry.name + "\":{" + String.join(",", fields) + "}");
    }
    return "{" + String.join(",", parts) + "}";
  }
}
