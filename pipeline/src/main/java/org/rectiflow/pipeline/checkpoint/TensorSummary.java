package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.rectiflow.safetensors.TensorInfo;
import org.rectiflow.safetensors.TensorSource;

/**
 * What a file, or a part of a model, holds.
 *
 * @param tensors how many
 * @param parameters elements of all of them
 * @param bytes of their data
 * @param dtypes elements by stored type
 * @param metadata of the file
 * @param list each tensor's type and shape, where they were asked for
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record TensorSummary(
    int tensors,
    long parameters,
    long bytes,
    Map<String, Long> dtypes,
    Map<String, String> metadata,
    Map<String, String> list) {

  /** Summarises all tensors of a source. */
  public static TensorSummary of(TensorSource source, boolean listed) {
    return of(source, listed, _ -> true);
  }

  /** Summarises the tensors of a source that a part of a model owns. */
  static TensorSummary of(TensorSource source, boolean listed, Predicate<String> owned) {
    int tensors = 0;
    Map<String, Long> dtypes = new TreeMap<>();
    Map<String, String> list = new LinkedHashMap<>();
    long parameters = 0;
    long bytes = 0;
    for (TensorInfo info : source.tensors().values()) {
      if (!owned.test(info.name())) {
        continue;
      }
      tensors++;
      dtypes.merge(info.dtype().name(), info.elementCount(), Long::sum);
      parameters += info.elementCount();
      bytes += info.byteSize();
      if (listed) {
        list.put(info.name(), info.dtype() + " " + info.shape());
      }
    }
    return new TensorSummary(tensors, parameters, bytes, dtypes, source.metadata(), list);
  }
}
