package org.rectiflow.trainer.cache;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;

/**
 * Under what an encoded example is kept: all that it depends on. That is the network, by every byte
 * of its weights and by its configuration, and what goes into it: a picture's pixels, or the tokens
 * that a text becomes, so that another tokenizer makes other entries.
 */
final class CacheKeys {
  /** The text encoders, in Table 7's order. */
  static final List<Part> ENCODERS = List.of(Part.CLIP_L, Part.CLIP_G, Part.T5);

  private final Map<Part, String> networks = new EnumMap<>(Part.class);

  private CacheKeys() {}

  /** Reads the weights of autoencoder and text encoders. */
  static CacheKeys of(Checkpoint base) throws IOException {
    CacheKeys keys = new CacheKeys();
    keys.add(base, Part.VAE, base.vaeConfig());
    keys.add(base, Part.CLIP_L, base.clipConfig(Part.CLIP_L));
    keys.add(base, Part.CLIP_G, base.clipConfig(Part.CLIP_G));
    keys.add(base, Part.T5, base.t5Config());
    return keys;
  }

  private void add(Checkpoint base, Part part, Record config) throws IOException {
    Fingerprint fingerprint = new Fingerprint().add(part.folder()).add(config.toString());
    for (Path file : base.files(part)) {
      fingerprint.add(file);
    }
    networks.put(part, fingerprint.hex());
  }

  String latent(PixelImage picture) {
    return new Fingerprint()
        .add("latent")
        .add(networks.get(Part.VAE))
        .add(picture.width())
        .add(picture.height())
        .add(picture.data())
        .hex();
  }

  String text(Part part, TokenizedPrompt prompt) {
    Fingerprint fingerprint =
        new Fingerprint().add("text").add(networks.get(part)).add(prompt.ids().length);
    for (int id : prompt.ids()) {
      fingerprint.add(id);
    }
    return fingerprint.hex();
  }
}
