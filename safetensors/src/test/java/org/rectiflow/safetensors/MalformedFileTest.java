package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.rectiflow.safetensors.MalformedCase.X;
import static org.rectiflow.safetensors.MalformedCase.header;
import static org.rectiflow.safetensors.MalformedCase.wrong;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Wrong lengths, text, names and metadata: each gets an error of its own. */
class MalformedFileTest {

  static List<MalformedCase> wrongLengths() {
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

  static List<MalformedCase> wrongText() {
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

  static List<MalformedCase> wrongNames() {
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

  static List<MalformedCase> wrongMetadata() {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("null", "found null");
    values.put("[]", "found an array");
    values.put("3", "found the number \"3\"");
    values.put("\"x\"", "found the string \"x\"");
    values.put("true", "found true");
    List<MalformedCase> cases = new ArrayList<>();
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

  @TempDir Path folder;

  @ParameterizedTest
  @MethodSource({"wrongLengths", "wrongText", "wrongNames", "wrongMetadata"})
  void isRefused(MalformedCase wrong) {
    wrong.isRefused(folder);
  }
}
