package org.rectiflow.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * One file about to be written.
 *
 * @param target its final name
 * @param head the first bytes: length and header of a safetensors file
 * @param tensors what follows, with final offsets
 */
record PlannedFile(Path target, MemorySegment head, List<Pending> tensors) {

  /** One tensor to be written; without data it is all zeros. */
  record Pending(TensorInfo info, TensorData data) {}

  /** A safetensors file of these tensors in this order. */
  static PlannedFile of(Path target, Map<String, String> metadata, List<Pending> tensors) {
    List<Pending> placed = new ArrayList<>();
    long at = 0;
    for (Pending pending : tensors) {
      TensorInfo info = pending.info();
      long end = Math.addExact(at, info.byteSize());
      placed.add(
          new Pending(
              new TensorInfo(info.name(), info.dtype(), info.shape(), at, end), pending.data()));
      at = end;
    }
    String json = JsonText.header(metadata, placed.stream().map(Pending::info).toList());
    return new PlannedFile(target, head(target, json), placed);
  }

  /** A text file. */
  static PlannedFile of(Path target, String text) {
    return new PlannedFile(
        target, MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)), List.of());
  }

  private static MemorySegment head(Path target, String text) {
    byte[] json = text.getBytes(StandardCharsets.UTF_8);
    int length = Math.ceilDiv(json.length, 8) * 8;
    if (length > Header.MAX_LENGTH) {
      throw new SafetensorsException(
          Kind.UNWRITABLE_CONTENT,
          target,
          null,
          "the header would take " + length + " bytes, expected at most " + Header.MAX_LENGTH,
          "Split the tensors over several files");
    }
    byte[] head = new byte[Header.LENGTH_BYTES + length];
    Arrays.fill(head, (byte) ' ');
    System.arraycopy(json, 0, head, Header.LENGTH_BYTES, json.length);
    MemorySegment segment = MemorySegment.ofArray(head);
    segment.set(Layouts.LONG, 0, length);
    return segment;
  }

  /** Bytes it will take on the disk. */
  long bytes() {
    return head.byteSize()
        + tensors.stream()
            .mapToLong(tensor -> tensor.data() == null ? 0 : tensor.info().byteSize())
            .sum();
  }

  void writeTo(PartFile file) throws IOException {
    file.append(head);
    for (Pending tensor : tensors) {
      if (tensor.data() == null) {
        file.appendZeros(tensor.info().byteSize());
      } else {
        TensorSink sink = new TensorSink(target, tensor.info(), file);
        tensor.data().writeTo(sink);
        sink.finish();
      }
    }
  }
}
