package org.rectiflow.pipeline.checkpoint;

/** The networks a text-to-image model is made of. */
public enum Part {
  TRANSFORMER("transformer", "transformer", "--model"),
  VAE("vae", "autoencoder", "--vae"),
  CLIP_L("text_encoder", "CLIP-L", "--clip-l"),
  CLIP_G("text_encoder_2", "CLIP-G", "--clip-g"),
  T5("text_encoder_3", "T5", "--t5");

  private final String folder;
  private final String title;
  private final String flag;

  Part(String folder, String title, String flag) {
    this.folder = folder;
    this.title = title;
    this.flag = flag;
  }

  /** The part's folder in a diffusers model. */
  public String folder() {
    return folder;
  }

  /** For people. */
  public String title() {
    return title;
  }

  /** The flag that names a file or folder with it. */
  public String flag() {
    return flag;
  }

  /** Whether it is a text encoder. */
  public boolean isEncoder() {
    return this != TRANSFORMER && this != VAE;
  }

  /** The folder of the encoder's tokenizer in a diffusers model, such as {@code tokenizer_2}. */
  public String tokenizerFolder() {
    return folder.replace("text_encoder", "tokenizer");
  }
}
