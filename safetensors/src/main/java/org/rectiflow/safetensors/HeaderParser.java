package org.rectiflow.safetensors;

import static org.rectiflow.safetensors.SafetensorsException.quote;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * Parses the JSON of a header, token by token: nothing is built that the format does not ask for,
 * so deep nesting costs nothing.
 *
 * <p>Like the reference implementation it allows white space before the opening brace and any JSON
 * white space after the closing one. It is stricter where the reference keeps silent: duplicate
 * names and fields, unknown fields, control characters in names, and half surrogate pairs are
 * refused.
 */
final class HeaderParser {

  private static final String REWRITE =
      "The file was not written by a correct safetensors writer; download it again, or write it"
          + " again with one";

  private final Path file;
  private final JsonParser json;
  private final List<Header.Entry> entries = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private Map<String, String> metadata;

  private HeaderParser(Path file, JsonParser json) {
    this.file = file;
    this.json = json;
  }

  /**
   * Parses a header.
   *
   * @param file for messages
   * @param text the header, decoded strictly from UTF-8
   * @throws SafetensorsException when it breaks a rule
   * @throws IOException when reading fails
   */
  static Header parse(Path file, Reader text) throws IOException {
    try (JsonParser json = StrictJson.FACTORY.createParser(text)) {
      return new HeaderParser(file, json).header();
    } catch (CharacterCodingException e) {
      throw new SafetensorsException(
          Kind.HEADER_NOT_UTF8, file, null, "the header is not valid UTF-8", REWRITE, e);
    } catch (JsonProcessingException e) {
      throw new SafetensorsException(
          Kind.HEADER_NOT_JSON,
          file,
          null,
          "the header is not valid JSON at character "
              + (e.getLocation() == null ? 0 : e.getLocation().getCharOffset())
              + ": "
              + quote(e.getOriginalMessage()),
          REWRITE,
          e);
    }
  }

  private Header header() throws IOException {
    JsonToken first = json.nextToken();
    if (first != JsonToken.START_OBJECT) {
      throw fail(
          Kind.HEADER_NOT_JSON, null, "expected the header to be a JSON object, found " + say());
    }
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = json.currentName();
      json.nextToken();
      if (name.equals(TensorNames.METADATA)) {
        metadata();
      } else {
        tensor(name);
      }
    }
    if (json.nextToken() != null) {
      throw fail(
          Kind.HEADER_NOT_JSON,
          null,
          "expected nothing but spaces after the header's closing brace, found " + say());
    }
    return new Header(entries, metadata == null ? Map.of() : metadata);
  }

  private void metadata() throws IOException {
    if (metadata != null) {
      throw fail(Kind.DUPLICATE_FIELD, null, "the header has two " + TensorNames.METADATA);
    }
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw fail(
          Kind.BAD_METADATA,
          null,
          TensorNames.METADATA + ": expected an object of strings, found " + say());
    }
    metadata = new LinkedHashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw fail(
            Kind.BAD_METADATA,
            null,
            TensorNames.METADATA + ", key " + quote(key) + ": expected a string, found " + say());
      }
      String value = json.getText();
      if (!StrictJson.isWellFormed(value)) {
        throw fail(
            Kind.BAD_METADATA,
            null,
            TensorNames.METADATA + ", key " + quote(key) + ": half a surrogate pair is no text");
      }
      if (metadata.put(key, value) != null) {
        throw fail(
            Kind.DUPLICATE_FIELD,
            null,
            TensorNames.METADATA + " has the key " + quote(key) + " twice");
      }
    }
  }

  private void tensor(String name) throws IOException {
    checkName(name);
    if (!names.add(name)) {
      throw fail(
          Kind.DUPLICATE_TENSOR, name, "the header has two entries of this name, expected one");
    }
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw fail(
          Kind.WRONG_TYPE,
          name,
          "expected an object with dtype, shape and data_offsets, found " + say());
    }
    DType dtype = null;
    List<Long> shape = null;
    long[] offsets = null;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "dtype" -> {
          once(name, field, dtype);
          dtype = dtype(name);
        }
        case "shape" -> {
          once(name, field, shape);
          shape = Arrays.stream(integers(name, field)).boxed().toList();
        }
        case "data_offsets" -> {
          once(name, field, offsets);
          offsets = offsets(name);
        }
        default ->
            throw fail(
                Kind.UNKNOWN_FIELD,
                name,
                "expected only dtype, shape and data_offsets, found the field " + quote(field));
      }
    }
    require(name, "dtype", dtype);
    require(name, "shape", shape);
    require(name, "data_offsets", offsets);
    entries.add(new Header.Entry(name, dtype, shape, offsets[0], offsets[1]));
  }

  private void checkName(String name) {
    Optional<String> problem = TensorNames.problem(name);
    if (problem.isPresent()) {
      throw fail(Kind.BAD_NAME, name, problem.get());
    }
  }

  private void once(String name, String field, Object before) {
    if (before != null) {
      throw fail(Kind.DUPLICATE_FIELD, name, "the entry has the field " + field + " twice");
    }
  }

  private void require(String name, String field, Object value) {
    if (value == null) {
      throw fail(Kind.MISSING_FIELD, name, "the entry has no field " + field);
    }
  }

  private DType dtype(String name) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw fail(Kind.WRONG_TYPE, name, "dtype: expected a string, found " + say());
    }
    String text = json.getText();
    return DType.named(text)
        .orElseThrow(() ->
            fail(
                Kind.UNKNOWN_DTYPE,
                name,
                "the format has no dtype "
                    + quote(text)
                    + ", expected one of "
                    + Arrays.toString(DType.values())));
  }

  private long[] offsets(String name) throws IOException {
    long[] offsets = integers(name, "data_offsets");
    if (offsets.length != 2) {
      throw fail(
          Kind.WRONG_TYPE,
          name,
          "data_offsets: expected two integers, begin and end, found " + offsets.length);
    }
    return offsets;
  }

  private long[] integers(String name, String field) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw fail(Kind.WRONG_TYPE, name, field + ": expected an array of integers, found " + say());
    }
    long[] values = new long[4];
    int count = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (count == values.length) {
        values = Arrays.copyOf(values, 2 * count);
      }
      values[count++] = integer(name, field);
    }
    return Arrays.copyOf(values, count);
  }

  private long integer(String name, String field) throws IOException {
    JsonToken token = json.currentToken();
    if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
      throw fail(Kind.WRONG_TYPE, name, field + ": expected integers, found " + say());
    }
    String text = json.getText();
    String problem = null;
    if (token == JsonToken.VALUE_NUMBER_FLOAT) {
      problem = "expected integers without fraction or exponent, found ";
    } else if (text.startsWith("-")) {
      problem = "expected non-negative integers, found ";
    } else if (tooLarge(text)) {
      problem = "expected integers below 2^63, found ";
    }
    if (problem != null) {
      throw fail(Kind.BAD_INTEGER, name, field + ": " + problem + quote(text));
    }
    return Long.parseLong(text);
  }

  /** JSON forbids leading zeros, so digits of equal number compare like their values. */
  private static boolean tooLarge(String digits) {
    String largest = Long.toString(Long.MAX_VALUE);
    return digits.length() > largest.length()
        || (digits.length() == largest.length() && digits.compareTo(largest) > 0);
  }

  /** The current token in words. */
  private String say() throws IOException {
    return switch (json.currentToken()) {
      case null -> "nothing";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "the string " + quote(json.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + quote(json.getText());
      case VALUE_NULL, VALUE_TRUE, VALUE_FALSE -> json.getText();
      default -> json.currentToken().toString();
    };
  }

  private SafetensorsException fail(Kind kind, String tensor, String problem) {
    return new SafetensorsException(kind, file, tensor, problem, REWRITE);
  }
}
