package org.rectiflow.paper.output;

/** Text in HTML. */
public final class Html {

  private Html() {}

  /** Replaces the characters that mean something in HTML. */
  public static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
