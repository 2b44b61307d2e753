package org.rectiflow.safetensors;

import static org.rectiflow.safetensors.SafetensorsException.quote;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.io.Reader;
import java.nio.channels.Channels;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * The text of a {@code NAME.safetensors.index.json}, a convention of transformers. Fields beside
 * {@code weight_map} and {@code metadata.total_size} do not bear on the tensors and are passed
 * over.
 *
 * @param shardOf the file name of each tensor, in the order of the index
 * @param totalSize bytes of all tensors together, where the index says so
 */
record ShardIndex(Map<String, String> shardOf, OptionalLong totalSize) {

  private static final long MAX_LENGTH = Header.MAX_LENGTH;

  /**
   * Reads an index.
   *
   * @throws SafetensorsException when it cannot be read or is not of the expected form
   */
  static ShardIndex read(Path path) {
    try (RandomAccessFile file = InputFiles.open(path, "an index of safetensors shards")) {
      byte[] head = new byte[(int) Math.min(FileKind.SNIFFED_BYTES, file.length())];
      file.readFully(head);
      file.seek(0);
      if (file.length() > MAX_LENGTH) {
        throw invalid(
            path, "expected at most " + MAX_LENGTH + " bytes, found " + file.length(), null);
      }
      try {
        return parse(
            path,
            new InputStreamReader(
                Channels.newInputStream(file.getChannel()), StandardCharsets.UTF_8.newDecoder()));
      } catch (SafetensorsException e) {
        FileKind other =
            FileKind.recognise(head)
                .filter(kind -> kind.kind() != Kind.TEXT_FILE)
                .orElseThrow(() -> e);
        throw new SafetensorsException(other.kind(), path, null, other.what(), other.remedy(), e);
      }
    } catch (IOException e) {
      throw InputFiles.readFailed(path, e);
    }
  }

  private static ShardIndex parse(Path path, Reader text) throws IOException {
    try (JsonParser json = StrictJson.FACTORY.createParser(text)) {
      Map<String, String> shardOf = null;
      OptionalLong totalSize = OptionalLong.empty();
      boolean metadataSeen = false;
      expectObject(path, json, json.nextToken(), "the index");
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String field = json.currentName();
        JsonToken value = json.nextToken();
        if (field.equals("weight_map")) {
          if (shardOf != null) {
            throw invalid(path, "weight_map is there twice", null);
          }
          expectObject(path, json, value, "weight_map");
          shardOf = weightMap(path, json);
        } else if (field.equals("metadata")) {
          if (metadataSeen) {
            throw invalid(path, "metadata is there twice", null);
          }
          metadataSeen = true;
          expectObject(path, json, value, "metadata");
          totalSize = totalSize(path, json);
        } else {
          json.skipChildren();
        }
      }
      if (json.nextToken() != null) {
        throw invalid(path, "text follows the closing brace", null);
      }
      if (shardOf == null) {
        throw invalid(path, "expected a field weight_map, found none", null);
      }
      return new ShardIndex(shardOf, totalSize);
    } catch (CharacterCodingException e) {
      throw invalid(path, "the index is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      throw invalid(path, "the index is not valid JSON: " + quote(e.getOriginalMessage()), e);
    }
  }

  private static Map<String, String> weightMap(Path path, JsonParser json) throws IOException {
    Map<String, String> shardOf = new LinkedHashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String tensor = json.currentName();
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw invalid(path, "weight_map, " + quote(tensor) + ": expected a file name", null);
      }
      if (shardOf.put(tensor, json.getText()) != null) {
        throw invalid(path, "weight_map has " + quote(tensor) + " twice", null);
      }
    }
    return shardOf;
  }

  private static OptionalLong totalSize(Path path, JsonParser json) throws IOException {
    OptionalLong total = OptionalLong.empty();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = json.currentName();
      JsonToken value = json.nextToken();
      if (!key.equals("total_size")) {
        json.skipChildren();
        continue;
      }
      if (total.isPresent()) {
        throw invalid(path, "metadata has total_size twice", null);
      }
      boolean fits = value == JsonToken.VALUE_NUMBER_INT && json.getText().length() <= 18;
      if (!fits || json.getText().startsWith("-")) {
        throw invalid(
            path,
            "metadata.total_size: expected a whole number of bytes, found " + quote(json.getText()),
            null);
      }
      total = OptionalLong.of(Long.parseLong(json.getText()));
    }
    return total;
  }

  private static void expectObject(Path path, JsonParser json, JsonToken token, String what)
      throws IOException {
    if (token != JsonToken.START_OBJECT) {
      throw invalid(
          path,
          what
              + ": expected a JSON object, found "
              + (token == null ? "nothing" : quote(json.getText())),
          null);
    }
  }

  private static SafetensorsException invalid(Path path, String problem, Throwable cause) {
    return new SafetensorsException(
        Kind.INDEX_INVALID,
        path,
        null,
        problem,
        "An index of shards is {\"metadata\": {\"total_size\": N}, \"weight_map\": {tensor: file}};"
            + " download it again, or name a .safetensors file or a folder",
        cause);
  }
}
