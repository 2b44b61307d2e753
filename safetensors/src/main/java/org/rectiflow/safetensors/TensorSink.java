package org.rectiflow.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Takes the bytes of one tensor and counts them. */
final class TensorSink implements TensorData.Sink {

  private final Path target;
  private final TensorInfo info;
  private final PartFile file;
  private long written;

  TensorSink(Path target, TensorInfo info, PartFile file) {
    this.target = target;
    this.info = info;
    this.file = file;
  }

  @Override
  public void write(MemorySegment bytes) throws IOException {
    if (bytes.byteSize() > info.byteSize() - written) {
      throw wrongSize("at least " + (written + bytes.byteSize()));
    }
    file.append(bytes);
    written += bytes.byteSize();
  }

  @Override
  public void write(float[] values, int at, int count) throws IOException {
    MemorySegment staging = file.staging();
    int most = (int) (staging.byteSize() / Math.ceilDiv(info.dtype().bits(), 8));
    for (int done = 0; done < count; done += most) {
      int now = Math.min(most, count - done);
      Floats.write(values, at + done, now, staging, info.dtype(), 0);
      write(staging.asSlice(0, (long) now * info.dtype().byteSize()));
    }
  }

  /** Checks that nothing is missing. */
  void finish() {
    if (written != info.byteSize()) {
      throw wrongSize(String.valueOf(written));
    }
  }

  private SafetensorsException wrongSize(String found) {
    return new SafetensorsException(
        Kind.UNWRITABLE_CONTENT,
        target,
        info.name(),
        "expected " + info.byteSize() + " bytes for " + info.describe() + ", found " + found,
        "This is an error in the program that writes the file; nothing was left behind");
  }
}
