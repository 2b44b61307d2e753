package org.rectiflow.benchmarks.peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript module whose only method is scaled_dot_product_attention, which the Deep Java
 * Library does not bind. Such a module is an archive of source text and two pickles, here an object
 * without attributes and an empty tuple.
 */
final class AttentionScript {
  private static final String SOURCE =
      """
      class Attention(Module):
        __parameters__ = []
        __buffers__ = []
        def forward(self: __torch__.Attention,
          q: Tensor,
          k: Tensor,
          v: Tensor) -> Tensor:
          return torch.scaled_dot_product_attention(q, k, v)
      """;

  private AttentionScript() {}

  /** The archive. */
  static byte[] bytes() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      add(zip, "attention/data.pkl", "\u0080\u0002c__torch__\nAttention\n)\u0081}b.");
      add(zip, "attention/code/__torch__.py", SOURCE);
      add(zip, "attention/constants.pkl", "\u0080\u0002).");
      add(zip, "attention/version", "3\n");
    }
    return bytes.toByteArray();
  }

  private static void add(ZipOutputStream zip, String name, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
