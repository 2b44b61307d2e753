package org.rectiflow.encoders;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.IntFunction;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Tensor;

/** Runs one text encoder over prompts of one length: all at once, equal ones once. */
final class EncoderRunner implements AutoCloseable {
  private final String name;
  private final int vocabulary;
  private final OptionalInt endToken;
  private final Backend backend;
  private final IntFunction<Graph> graph;
  private final Map<Integer, Executable> compiled = new HashMap<>();

  /**
   * A runner that compiles when it is first needed.
   *
   * @param name for messages
   * @param vocabulary rows of the embedding table
   * @param endToken the token CLIP pools at; feeds the graph's input {@code end}
   * @param graph the graph for a number of prompts
   */
  EncoderRunner(
      String name,
      int vocabulary,
      OptionalInt endToken,
      Backend backend,
      IntFunction<Graph> graph) {
    this.name = name;
    this.vocabulary = vocabulary;
    this.endToken = endToken;
    this.backend = backend;
    this.graph = graph;
  }

  /**
   * The graph's outputs for each prompt, with a leading axis of 1.
   *
   * @param least how many prompts go through the graph at least: the first one fills it up
   * @throws CheckpointException if a token is none of the encoder's
   */
  List<Map<String, Tensor>> run(List<TokenizedPrompt> prompts, int least) {
    List<TokenizedPrompt> distinct = List.copyOf(new LinkedHashSet<>(prompts));
    distinct.forEach(this::checkVocabulary);
    int batch = Math.max(least, distinct.size());
    int tokens = distinct.getFirst().ids().length;
    Map<String, Feed> feeds = new HashMap<>();
    int[] ids = new int[batch * tokens];
    for (int i = 0; i < batch; i++) {
      System.arraycopy(row(distinct, i).ids(), 0, ids, i * tokens, tokens);
    }
    feeds.put("ids", Feed.of(IntTensor.of(ids, batch, tokens)));
    if (endToken.isPresent()) {
      int[] ends = new int[batch];
      for (int i = 0; i < batch; i++) {
        ends[i] = i * tokens + row(distinct, i).indexOf(endToken.getAsInt());
      }
      feeds.put("end", Feed.of(IntTensor.of(ends, batch)));
    }
    Map<String, Tensor> outputs =
        compiled.computeIfAbsent(batch, n -> backend.compile(name, graph.apply(n))).run(feeds);
    return prompts.stream().map(prompt -> entry(outputs, distinct.indexOf(prompt))).toList();
  }

  private static TokenizedPrompt row(List<TokenizedPrompt> distinct, int i) {
    return distinct.get(i < distinct.size() ? i : 0);
  }

  private static Map<String, Tensor> entry(Map<String, Tensor> outputs, int index) {
    Map<String, Tensor> entry = new LinkedHashMap<>();
    outputs.forEach((name, all) -> entry.put(name, all.row(index)));
    return entry;
  }

  private void checkVocabulary(TokenizedPrompt prompt) {
    for (int id : prompt.ids()) {
      if (id >= vocabulary) {
        throw new CheckpointException(
            "%s's tokenizer gives token %d, its embedding table has %d rows. Tokenizer and text encoder come from different models."
                .formatted(name, id, vocabulary));
      }
    }
  }

  @Override
  public void close() {
    compiled.values().forEach(Executable::close);
    compiled.clear();
  }
}
