package org.rectiflow.safetensors;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Map;

/** The JSON that is written. */
final class JsonText {

  private JsonText() {}

  private interface Body {
    void writeTo(JsonGenerator json) throws IOException;
  }

  /** A header, without white space and with the fields in the reference writer's order. */
  static String header(Map<String, String> metadata, Collection<TensorInfo> tensors) {
    return text(
        null,
        json -> {
          if (!metadata.isEmpty()) {
            object(json, TensorNames.METADATA, metadata);
          }
          for (TensorInfo tensor : tensors) {
            json.writeObjectFieldStart(tensor.name());
            json.writeStringField("dtype", tensor.dtype().name());
            json.writeFieldName("shape");
            json.writeArray(tensor.dims(), 0, tensor.rank());
            json.writeFieldName("data_offsets");
            json.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
            json.writeEndObject();
          }
        });
  }

  /** An index of shards, for people to read. */
  static String index(Map<String, String> shardOf, long totalSize) {
    return text(
        new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")),
        json -> {
          json.writeObjectFieldStart("metadata");
          json.writeNumberField("total_size", totalSize);
          json.writeEndObject();
          object(json, "weight_map", shardOf);
        });
  }

  private static void object(JsonGenerator json, String name, Map<String, String> entries)
      throws IOException {
    json.writeObjectFieldStart(name);
    for (Map.Entry<String, String> entry : entries.entrySet()) {
      json.writeStringField(entry.getKey(), entry.getValue());
    }
    json.writeEndObject();
  }

  private static String text(PrettyPrinter printer, Body body) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = StrictJson.FACTORY.createGenerator(out)) {
      json.setPrettyPrinter(printer);
      json.writeStartObject();
      body.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to a string failed", e);
    }
    return out.toString();
  }
}
