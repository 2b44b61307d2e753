package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Every way a file can be wrong gets an error of its own. */
class MalformedFileTest {

  /**
   * One wrong file.
   *
   * @param tensor the tensor the error must name, or null
   * @param says what the message must contain
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Case(String name, byte[] bytes, Kind kind, String tensor, List<String> says) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case wrong(String name, byte[] bytes, Kind kind, String tensor, String... says) {
    return new Case(name, bytes, kind, tensor, List.of(says));
  }

  /** A wrong header over 16 bytes of data. */
  private static Case header(String name, String header, Kind kind, String tensor, String... says) {
    return wrong(name, file(header, 16), kind, tensor, says);
  }

  /** A wrong entry "x" over 16 bytes of data. */
  private static Case entryOf(String name, String fields, Kind kind, String... says) {
    return header(name, "{\"x\":" + fields + "}", kind, "x", says);
  }

  private static final String X = entry("x", "F32", "[4]", "[0,16]");

  static List<Case> wrongLengths() {
    byte[] valid = file("{" + X + "}", 16);
    return List.of(
        wrong("empty file", new byte[0], Kind.EMPTY_FILE, null, "0 bytes"),
        wrong("seven bytes", new byte[7], Kind.HEADER_TOO_SMALL, null, "8 bytes", "found 7"),
        wrong("N = 0", file(0, new byte[0], new byte[0]), Kind.HEADER_EMPTY, null, "length is 0"),
        wrong(
            "N = 0, then a header",
            file(0, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_EMPTY,
            null),
        wrong(
            "N = 100,000,001",
            file(100_000_001, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "100000001",
            "100000000"),
        wrong(
            "N = Integer.MAX_VALUE",
            file(Integer.MAX_VALUE, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "2147483647"),
        wrong(
            "N = 2^31",
            file(1L << 31, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "2147483648"),
        wrong(
            "N = 2^32 + 2, which as an int is 2",
            file((1L << 32) + 2, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "4294967298"),
        wrong(
            "N = Long.MAX_VALUE",
            file(Long.MAX_VALUE, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "9223372036854775807"),
        wrong(
            "N = Long.MIN_VALUE, the sign bit",
            file(Long.MIN_VALUE, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "9223372036854775808"),
        wrong(
            "N = 0xffff...",
            file(-1, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_TOO_LARGE,
            null,
            "18446744073709551615"),
        wrong(
            "header beyond the file",
            file(60, "{}".getBytes(UTF_8), new byte[0]),
            Kind.HEADER_BEYOND_FILE,
            null,
            "68 bytes",
            "has 10"),
        wrong(
            "truncated in the header",
            Arrays.copyOf(valid, 30),
            Kind.HEADER_BEYOND_FILE,
            null,
            "has 30",
            "download"),
        wrong(
            "two bytes missing",
            Arrays.copyOf(valid, valid.length - 2),
            Kind.TRUNCATED,
            null,
            "expected " + valid.length,
            "found " + (valid.length - 2),
            "download"),
        wrong(
            "all data missing",
            Arrays.copyOf(valid, valid.length - 16),
            Kind.TRUNCATED,
            null,
            "expected " + valid.length),
        wrong(
            "bytes after the data",
            Arrays.copyOf(valid, valid.length + 3),
            Kind.TRAILING_BYTES,
            null,
            "expected " + valid.length,
            "found " + (valid.length + 3),
            "3 bytes follow"),
        wrong(
            "data without tensors", file("{}", 16), Kind.TRAILING_BYTES, null, "16 bytes follow"));
  }

  static List<Case> wrongText() {
    return List.of(
        wrong(
            "byte order mark",
            file("\ufeff{}", 0),
            Kind.HEADER_BYTE_ORDER_MARK,
            null,
            "byte order mark"),
        wrong(
            "invalid UTF-8",
            file("{\"\u00ff\":1}".getBytes(ISO_8859_1), new byte[0]),
            Kind.HEADER_NOT_UTF8,
            null,
            "UTF-8"),
        wrong(
            "overlong UTF-8",
            file("{\"\u00c0\u00af\":1}".getBytes(ISO_8859_1), new byte[0]),
            Kind.HEADER_NOT_UTF8,
            null),
        wrong(
            "surrogate in UTF-8",
            file("{\"\u00ed\u00a0\u0080\":1}".getBytes(ISO_8859_1), new byte[0]),
            Kind.HEADER_NOT_UTF8,
            null),
        wrong("UTF-16", file("{}".getBytes(UTF_16LE), new byte[0]), Kind.HEADER_NOT_JSON, null),
        header("not JSON", "hello", Kind.HEADER_NOT_JSON, null, "not valid JSON"),
        header("JSON cut short", "{" + X, Kind.HEADER_NOT_JSON, null, "not valid JSON"),
        header(
            "an array",
            "[]",
            Kind.HEADER_NOT_JSON,
            null,
            "expected the header to be a JSON object",
            "an array"),
        header("a string", "\"x\"", Kind.HEADER_NOT_JSON, null, "the string \"x\""),
        header("null", "null", Kind.HEADER_NOT_JSON, null, "found null"),
        header("only spaces", "        ", Kind.HEADER_NOT_JSON, null, "found nothing"),
        header(
            "two objects",
            "{" + X + "}{}",
            Kind.HEADER_NOT_JSON,
            null,
            "after the header's closing brace"),
        header("padded with NUL", "{" + X + "}\0\0", Kind.HEADER_NOT_JSON, null),
        header("a trailing comma", "{" + X + ",}", Kind.HEADER_NOT_JSON, null),
        header("a comment", "{/* */" + X + "}", Kind.HEADER_NOT_JSON, null),
        header("single quotes", "{'x':1}", Kind.HEADER_NOT_JSON, null),
        header(
            "NaN literal",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[NaN],\"data_offsets\":[0,16]}}",
            Kind.HEADER_NOT_JSON,
            null,
            "NaN"),
        header(
            "Infinity literal",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[Infinity],\"data_offsets\":[0,16]}}",
            Kind.HEADER_NOT_JSON,
            null,
            "Infinity"),
        header(
            "leading zero",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[04],\"data_offsets\":[0,16]}}",
            Kind.HEADER_NOT_JSON,
            null),
        header("line break in a string", "{\"a\nb\":1}", Kind.HEADER_NOT_JSON, null),
        header(
            "nested 100,000 deep",
            "{\"x\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}",
            Kind.WRONG_TYPE,
            "x",
            "found an array"),
        header(
            "shape nested 100,000 deep",
            "{\"x\":{\"shape\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}}",
            Kind.WRONG_TYPE,
            "x",
            "found an array"),
        header(
            "unknown field nested 100,000 deep",
            "{\"x\":{\"y\":" + "[".repeat(100_000),
            Kind.UNKNOWN_FIELD,
            "x",
            "\"y\""));
  }

  static List<Case> wrongNames() {
    return List.of(
        header(
            "duplicate tensor", "{" + X + "," + X + "}", Kind.DUPLICATE_TENSOR, "x", "two entries"),
        header(
            "duplicate tensor, spelt differently",
            "{" + X + "," + entry("\\u0078", "F32", "[4]", "[0,16]") + "}",
            Kind.DUPLICATE_TENSOR,
            "x"),
        header(
            "empty name",
            "{" + entry("", "F32", "[4]", "[0,16]") + "}",
            Kind.BAD_NAME,
            "",
            "must not be empty"),
        header(
            "NUL in a name",
            "{" + entry("a\\u0000b", "F32", "[4]", "[0,16]") + "}",
            Kind.BAD_NAME,
            "a\0b",
            "control characters",
            "a\\u0000b"),
        header(
            "line break in a name",
            "{" + entry("a\\nb", "F32", "[4]", "[0,16]") + "}",
            Kind.BAD_NAME,
            "a\nb",
            "control characters",
            "a\\u000ab"),
        header(
            "escape code in a name",
            "{" + entry("a\\u001b[31m", "F32", "[4]", "[0,16]") + "}",
            Kind.BAD_NAME,
            "a\u001b[31m"),
        header(
            "lone high surrogate in a name",
            "{" + entry("a\\ud800b", "F32", "[4]", "[0,16]") + "}",
            Kind.HEADER_NOT_JSON,
            null,
            "surrogate"),
        header(
            "lone low surrogate in a name",
            "{" + entry("\\udc00", "F32", "[4]", "[0,16]") + "}",
            Kind.HEADER_NOT_JSON,
            null,
            "surrogate"),
        header(
            "high surrogate at the end of a name",
            "{" + entry("a\\ud800", "F32", "[4]", "[0,16]") + "}",
            Kind.HEADER_NOT_JSON,
            null,
            "surrogate"));
  }

  static List<Case> wrongMetadata() {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("null", "found null");
    values.put("[]", "found an array");
    values.put("3", "found the number \"3\"");
    values.put("\"x\"", "found the string \"x\"");
    values.put("true", "found true");
    List<Case> cases = new ArrayList<>();
    values.forEach((value, says) ->
        cases.add(
            header(
                "metadata is " + value,
                "{\"__metadata__\":" + value + "," + X + "}",
                Kind.BAD_METADATA,
                null,
                "expected an object of strings",
                says)));
    for (String value : List.of("1", "null", "true", "{}", "[\"a\"]")) {
      cases.add(
          header(
              "metadata value " + value,
              "{\"__metadata__\":{\"k\":" + value + "}," + X + "}",
              Kind.BAD_METADATA,
              null,
              "key \"k\": expected a string"));
    }
    cases.add(
        header(
            "metadata key twice",
            "{\"__metadata__\":{\"k\":\"a\",\"k\":\"a\"}," + X + "}",
            Kind.DUPLICATE_FIELD,
            null,
            "\"k\" twice"));
    cases.add(
        header(
            "metadata twice",
            "{\"__metadata__\":{}," + X + ",\"__metadata__\":{}}",
            Kind.DUPLICATE_FIELD,
            null,
            "two __metadata__"));
    cases.add(
        header(
            "lone surrogate in a metadata value",
            "{\"__metadata__\":{\"k\":\"\\udfff\"}," + X + "}",
            Kind.BAD_METADATA,
            null,
            "surrogate"));
    cases.add(
        header(
            "lone surrogate in a metadata key",
            "{\"__metadata__\":{\"\\ud800\":\"v\"}," + X + "}",
            Kind.HEADER_NOT_JSON,
            null,
            "surrogate"));
    return cases;
  }

  static List<Case> wrongFields() {
    return List.of(
        entryOf("entry is null", "null", Kind.WRONG_TYPE, "expected an object", "found null"),
        entryOf("entry is an array", "[]", Kind.WRONG_TYPE, "found an array"),
        entryOf("entry is a number", "1", Kind.WRONG_TYPE, "the number \"1\""),
        entryOf(
            "no dtype",
            "{\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.MISSING_FIELD,
            "no field dtype"),
        entryOf(
            "no shape",
            "{\"dtype\":\"F32\",\"data_offsets\":[0,16]}",
            Kind.MISSING_FIELD,
            "no field shape"),
        entryOf(
            "no data_offsets",
            "{\"dtype\":\"F32\",\"shape\":[4]}",
            Kind.MISSING_FIELD,
            "no field data_offsets"),
        entryOf(
            "dtype twice",
            "{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.DUPLICATE_FIELD,
            "dtype twice"),
        entryOf(
            "shape twice",
            "{\"dtype\":\"F32\",\"shape\":[4],\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.DUPLICATE_FIELD,
            "shape twice"),
        entryOf(
            "data_offsets twice",
            "{\"dtype\":\"F32\",\"data_offsets\":[0,16],\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.DUPLICATE_FIELD,
            "data_offsets twice"),
        entryOf(
            "unknown field",
            "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16],\"strides\":[1]}",
            Kind.UNKNOWN_FIELD,
            "\"strides\""),
        entryOf(
            "unknown dtype",
            "{\"dtype\":\"F31\",\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.UNKNOWN_DTYPE,
            "\"F31\"",
            "F32"),
        entryOf(
            "dtype in lower case",
            "{\"dtype\":\"f32\",\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.UNKNOWN_DTYPE,
            "\"f32\""),
        entryOf(
            "dtype is a number",
            "{\"dtype\":32,\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "dtype: expected a string",
            "\"32\""),
        entryOf(
            "dtype is null",
            "{\"dtype\":null,\"shape\":[4],\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "dtype: expected a string",
            "null"),
        entryOf(
            "shape is a number",
            "{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "shape: expected an array"),
        entryOf(
            "shape is null",
            "{\"dtype\":\"F32\",\"shape\":null,\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "shape: expected an array",
            "null"),
        entryOf(
            "shape of a string",
            "{\"dtype\":\"F32\",\"shape\":[\"4\"],\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "shape: expected integers",
            "the string \"4\""),
        entryOf(
            "shape of null",
            "{\"dtype\":\"F32\",\"shape\":[null],\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "shape: expected integers"),
        entryOf(
            "shape of true",
            "{\"dtype\":\"F32\",\"shape\":[true],\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "found true"),
        entryOf(
            "shape nested",
            "{\"dtype\":\"F32\",\"shape\":[[4]],\"data_offsets\":[0,16]}",
            Kind.WRONG_TYPE,
            "found an array"),
        entryOf(
            "three offsets",
            "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16,16]}",
            Kind.WRONG_TYPE,
            "two integers",
            "found 3"),
        entryOf(
            "one offset",
            "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16]}",
            Kind.WRONG_TYPE,
            "two integers",
            "found 1"),
        entryOf(
            "offsets are an object",
            "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":{}}",
            Kind.WRONG_TYPE,
            "data_offsets: expected an array",
            "an object"));
  }

  static List<Case> wrongNumbers() {
    List<Case> cases = new ArrayList<>();
    Map<String, String> numbers = new LinkedHashMap<>();
    numbers.put("-4", "non-negative");
    numbers.put("-0", "non-negative");
    numbers.put("4.0", "fraction or exponent");
    numbers.put("4e0", "fraction or exponent");
    numbers.put("1E3", "fraction or exponent");
    numbers.put("9223372036854775808", "below 2^63");
    numbers.put("18446744073709551616", "below 2^63");
    numbers.put("9".repeat(50_000), "50000 characters");
    numbers.forEach((number, says) -> {
      String shown = number.length() > 50 ? "50,000 digits" : number;
      cases.add(
          entryOf(
              "shape of " + shown,
              "{\"dtype\":\"F32\",\"shape\":[" + number + "],\"data_offsets\":[0,16]}",
              Kind.BAD_INTEGER,
              "shape",
              says));
      cases.add(
          entryOf(
              "begin " + shown,
              "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[" + number + ",16]}",
              Kind.BAD_INTEGER,
              "data_offsets",
              says));
      cases.add(
          entryOf(
              "end " + shown,
              "{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0," + number + "]}",
              Kind.BAD_INTEGER,
              "data_offsets",
              says));
    });
    return cases;
  }

  static List<Case> wrongPlaces() {
    String tenNames =
        IntStream.range(0, 10)
            .mapToObj(i -> entry("weight_" + i, "F32", "[2,2]", "[0,16]"))
            .collect(Collectors.joining(",", "{", "}"));
    return List.of(
        header(
            "end before begin",
            "{" + entry("x", "F32", "[4]", "[16,0]") + "}",
            Kind.OFFSETS_REVERSED,
            "x",
            "begin 16",
            "end 0"),
        header(
            "begin after the file",
            "{" + entry("x", "F32", "[4]", "[1000,1016]") + "}",
            Kind.HOLE,
            "x",
            "expected begin 0",
            "found 1000"),
        header(
            "data does not start at 0",
            "{" + entry("x", "F32", "[3]", "[4,16]") + "}",
            Kind.HOLE,
            "x",
            "expected begin 0",
            "found 4"),
        header(
            "hole between tensors",
            "{"
                + entry("x", "F32", "[1]", "[0,4]")
                + ","
                + entry("y", "F32", "[2]", "[8,16]")
                + "}",
            Kind.HOLE,
            "y",
            "expected begin 4",
            "\"x\"",
            "found 8"),
        header(
            "overlap",
            "{"
                + entry("x", "F32", "[2]", "[0,8]")
                + ","
                + entry("y", "F32", "[3]", "[4,16]")
                + "}",
            Kind.OVERLAP,
            "y",
            "expected begin 8",
            "\"x\"",
            "found 4"),
        header(
            "ten names for the same bytes",
            tenNames,
            Kind.OVERLAP,
            "weight_1",
            "expected begin 16",
            "found 0"),
        header(
            "empty tensor inside another",
            "{"
                + entry("x", "F32", "[4]", "[0,16]")
                + ","
                + entry("y", "F32", "[0]", "[4,4]")
                + "}",
            Kind.OVERLAP,
            "y"),
        header(
            "shape smaller than the offsets",
            "{" + entry("x", "F32", "[3]", "[0,16]") + "}",
            Kind.SIZE_MISMATCH,
            "x",
            "F32 [3] takes 12 bytes",
            "hold 16"),
        header(
            "shape larger than the offsets",
            "{" + entry("x", "F32", "[2,4]", "[0,16]") + "}",
            Kind.SIZE_MISMATCH,
            "x",
            "F32 [2, 4] takes 32 bytes",
            "hold 16"),
        header(
            "offsets [1024, 1024] with one element",
            "{" + entry("x", "U8", "[1]", "[1024,1024]") + "}",
            Kind.SIZE_MISMATCH,
            "x",
            "takes 1 bytes",
            "hold 0"),
        header(
            "zero dimension with bytes",
            "{" + entry("x", "F32", "[4,0]", "[0,16]") + "}",
            Kind.SIZE_MISMATCH,
            "x",
            "takes 0 bytes"),
        header(
            "overflow of the shape's product",
            "{" + entry("x", "F32", "[4294967296,4294967296]", "[0,16]") + "}",
            Kind.SIZE_OVERFLOW,
            "x",
            "2^63"),
        header(
            "product of the shape overflows to the right number",
            "{" + entry("x", "F32", "[4611686018427387905,4]", "[0,16]") + "}",
            Kind.SIZE_OVERFLOW,
            "x"),
        header(
            "overflow of product times dtype",
            "{" + entry("x", "F32", "[4611686018427387904]", "[0,16]") + "}",
            Kind.SIZE_OVERFLOW,
            "x"),
        header(
            "F4 that ends in half a byte",
            "{" + entry("x", "F4", "[3]", "[0,1]") + "}",
            Kind.PARTIAL_BYTE,
            "x",
            "12 bits"),
        header(
            "F6 that ends in a part of a byte",
            "{" + entry("x", "F6_E2M3", "[1,2]", "[0,2]") + "}",
            Kind.PARTIAL_BYTE,
            "x",
            "12 bits"),
        header(
            "F4 of another size",
            "{" + entry("x", "F4", "[4]", "[0,16]") + "}",
            Kind.SIZE_MISMATCH,
            "x",
            "takes 2 bytes"),
        header(
            "end near 2^63",
            "{" + entry("x", "U8", "[1152921504606846975]", "[0,1152921504606846975]") + "}",
            Kind.TRUNCATED,
            null,
            "1152921504606847"),
        wrong(
            "F32 cut in the middle of the last element",
            file("{" + entry("x", "F32", "[4]", "[0,16]") + "}", 15),
            Kind.TRUNCATED,
            null,
            "incomplete"));
  }

  @TempDir Path folder;

  @ParameterizedTest
  @MethodSource({
    "wrongLengths",
    "wrongText",
    "wrongNames",
    "wrongMetadata",
    "wrongFields",
    "wrongNumbers",
    "wrongPlaces"
  })
  void isRefused(Case wrong) {
    Path path = TestFiles.write(folder, "model.safetensors", wrong.bytes());
    SafetensorsException e =
        catchThrowableOfType(SafetensorsException.class, () -> SafetensorsFile.open(path));
    assertThat(e).as("accepted against the rules").isNotNull();
    assertThat(e.kind()).as(e.getMessage()).isEqualTo(wrong.kind());
    assertThat(e.tensor().orElse(null)).isEqualTo(wrong.tensor());
    assertThat(e.file()).isEqualTo(path);
    assertThat(e).hasMessageStartingWith(path + ": ").hasMessageEndingWith(".");
    wrong.says().forEach(words -> assertThat(e).hasMessageContaining(words));
    assertThat(e.getMessage()).hasSizeLessThan(1000);
    assertThat(e.getMessage().chars()).noneMatch(Character::isISOControl);
  }

  /** Two cases may share a kind, but hardly a message: it would not say what is wrong. */
  @Test
  void messagesDiffer() {
    Map<String, String> seen = new HashMap<>();
    for (List<Case> cases : List.of(wrongFields(), wrongPlaces(), wrongMetadata())) {
      for (Case wrong : cases) {
        Path path = TestFiles.write(folder, "model.safetensors", wrong.bytes());
        SafetensorsException e =
            catchThrowableOfType(SafetensorsException.class, () -> SafetensorsFile.open(path));
        String before = seen.put(e.getMessage(), wrong.name());
        assertThat(before).as("%s says the same: %s", wrong.name(), e.getMessage()).isNull();
      }
    }
  }
}
