package org.rectiflow.pipeline.verify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.rectiflow.pipeline.verify.Comparison.Rule;

/**
 * Comparisons of tensors of one kind, such as what all blocks put out at all timesteps of all
 * cases: the worst of each number.
 *
 * @param kind the names without case, timestep and number of the block
 * @param tensors how many
 * @param absolute largest of the absolute differences
 * @param relative largest of the relative differences
 * @param tolerance what is allowed, the same for all
 * @param rule how they are judged, the same for all
 * @param failed how many are beyond the tolerance
 */
public record ComparisonGroup(
    String kind,
    int tensors,
    double absolute,
    double relative,
    double tolerance,
    Rule rule,
    int failed) {

  private static final Pattern SIZE = Pattern.compile("^vae\\.\\d+x\\d+\\.");
  private static final Pattern LAYER = Pattern.compile("(grad|adamw\\.after)\\..*");
  private static final Pattern CASE =
      Pattern.compile("^(?!vae\\.|adamw|grad|in\\.|hidden\\.)[^.]+\\.");
  private static final Pattern PROMPT = Pattern.compile("^(prompt|negative)\\.");
  private static final Pattern TIMESTEP = Pattern.compile("^t[0-9.]+\\.(?=velocity|block)");
  private static final Pattern BLOCK = Pattern.compile("^block\\d+\\.");

  /** What can be told apart. */
  private record Key(String kind, Rule rule, double tolerance) {}

  /** Groups comparisons, in the order in which their kinds come up. */
  public static List<ComparisonGroup> of(List<Comparison> comparisons) {
    Map<Key, List<Comparison>> kinds = new LinkedHashMap<>();
    for (Comparison c : comparisons) {
      Key key = new Key(kind(c.name()), c.rule(), c.tolerance());
      kinds.computeIfAbsent(key, _ -> new ArrayList<>()).add(c);
    }
    List<ComparisonGroup> groups = new ArrayList<>();
    kinds.forEach((key, members) ->
        groups.add(
            new ComparisonGroup(
                key.kind(),
                members.size(),
                members.stream().mapToDouble(Comparison::absolute).max().orElseThrow(),
                members.stream().mapToDouble(Comparison::relative).max().orElseThrow(),
                key.tolerance(),
                key.rule(),
                Math.toIntExact(members.stream().filter(c -> !c.passes()).count()))));
    return groups;
  }

  /** {@code p0.t874.6.block3.image} is {@code block.image}. */
  static String kind(String name) {
    String kind = SIZE.matcher(name).replaceFirst("vae.");
    kind = LAYER.matcher(kind).replaceFirst("$1");
    kind = CASE.matcher(kind).replaceFirst("");
    kind = PROMPT.matcher(kind).replaceFirst("");
    kind = TIMESTEP.matcher(kind).replaceFirst("");
    return BLOCK.matcher(kind).replaceFirst("block.");
  }
}
