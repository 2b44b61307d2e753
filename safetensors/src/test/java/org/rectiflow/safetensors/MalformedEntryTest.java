package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.safetensors.MalformedCase.entryOf;
import static org.rectiflow.safetensors.MalformedCase.header;
import static org.rectiflow.safetensors.MalformedCase.wrong;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.nio.file.Path;
import java.util.ArrayList;
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

/** Wrong fields, numbers and places of tensors: each gets an error of its own. */
class MalformedEntryTest {

  static List<MalformedCase> wrongFields() {
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

  static List<MalformedCase> wrongNumbers() {
    List<MalformedCase> cases = new ArrayList<>();
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

  static List<MalformedCase> wrongPlaces() {
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
  @MethodSource({"wrongFields", "wrongNumbers", "wrongPlaces"})
  void isRefused(MalformedCase wrong) {
    wrong.isRefused(folder);
  }

  /** Two cases may share a kind, but hardly a message: it would not say what is wrong. */
  @Test
  void messagesDiffer() {
    Map<String, String> seen = new HashMap<>();
    for (List<MalformedCase> cases : List.of(wrongFields(), wrongPlaces())) {
      for (MalformedCase wrong : cases) {
        String message = wrong.isRefused(folder);
        String before = seen.put(message, wrong.name());
        assertThat(before).as("%s says the same: %s", wrong.name(), message).isNull();
      }
    }
  }
}
