package org.rectiflow.pipeline.checkpoint;

/** The networks a text-to-image model is made of. */
public enum Part {
  TRANSFORMER("transformer", "transformer"),
  VAE("vae", "autoencoder"),
  CLIP_L("text_encoder", "CLIP-L"),
  CLIP_G("text_encoder_2", "CLIP-G"),
  T5("text_encoder_3", "T5");

  private final String folder;
  private final String title;

  Part(String folder, String title) {
    this.folder = folder;
    this.title = title;
  }

  /** The part's folder in a diffusers model. */
  public String folder() {
    return folder;
  }

  /** For people. */
  public String title() {
    return title;
  }

  /** The folder of the encoder's tokenizer in a diffusers model, such as {@code tokenizer_2}. */
  public String tokenizerFolder() {
    return folder.replace("text_encoder", "tokenizer");
  }
}
