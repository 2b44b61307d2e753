package org.rectiflow.encoders.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the files of a tokenizer folder; every failure names the file and the remedy. */
record TokenizerFiles(Path folder) {
  static final ObjectMapper JSON = new ObjectMapper();

  TokenizerFiles {
    if (!Files.isDirectory(folder)) {
      throw new TokenizerException(
          "tokenizer folder "
              + folder
              + " does not exist; a diffusers model has tokenizer, tokenizer_2 and tokenizer_3"
              + " beside its text encoders: copy the missing one from the model's repository");
    }
  }

  boolean has(String name) {
    return Files.isRegularFile(folder.resolve(name));
  }

  byte[] bytes(String name) {
    Path file = folder.resolve(name);
    if (!has(name)) {
      throw new TokenizerException(
          "tokenizer file "
              + file
              + " is missing; copy it from the repository the model came from");
    }
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new TokenizerException("cannot read tokenizer file " + file + ": " + e, e);
    }
  }

  JsonNode json(String name) {
    try {
      JsonNode node = JSON.readTree(bytes(name));
      if (!node.isObject()) {
        throw bad(name, "is not a JSON object", null);
      }
      return node;
    } catch (JsonProcessingException e) {
      throw bad(name, "is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw bad(name, "cannot be read: " + e.getMessage(), e);
    }
  }

  /** An error about a file that is there but wrong. */
  TokenizerException bad(String name, String what, Throwable cause) {
    return new TokenizerException(
        "tokenizer file "
            + folder.resolve(name)
            + " "
            + what
            + "; copy the file again from the repository the model came from",
        cause);
  }
}
