package org.rectiflow.study.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.evaluation.ControlSetting.Sampler;
import org.rectiflow.trainer.config.Kind;

/**
 * How finished runs are measured (Section 5.1 and Appendix B.3 of the paper).
 *
 * @param samples pictures in each setting, each of another held-out prompt; 1000 in the paper
 * @param references held-out pictures that the Frechet distance compares with
 * @param steps numbers of Euler steps
 * @param guidance scales of classifier-free guidance
 * @param crossed whether all steps meet all scales; otherwise all scales meet the most steps, and
 *     fewer steps the largest scale, as in the paper
 * @param weights {@code ema}, {@code raw} or both
 * @param towers folder of CLIP towers for features and alignment; empty for none
 * @param seed of noise and prompts
 * @param batch pictures that are sampled at once
 */
public record Evaluation(
    int samples,
    int references,
    List<Integer> steps,
    List<Double> guidance,
    boolean crossed,
    List<String> weights,
    String towers,
    long seed,
    int batch) {

  /** The paper's, but for the number of samples: its six samplers, with and without EMA. */
  public static final Evaluation PAPER =
      new Evaluation(
          1000,
          1000,
          List.of(5, 10, 25, 50),
          List.of(1.0, 2.5, 5.0),
          false,
          List.of("ema", "raw"),
          "",
          0,
          25);

  private static final List<String> KEYS =
      List.of(
          "samples",
          "references",
          "steps",
          "guidance",
          "crossed",
          "weights",
          "towers",
          "seed",
          "batch");

  /** Copies the lists. */
  public Evaluation {
    steps = List.copyOf(steps);
    guidance = List.copyOf(guidance);
    weights = List.copyOf(weights);
  }

  static Evaluation of(Table table, Evaluation initial) {
    table.allow(KEYS);
    Kind<Long> count = Kind.whole(2, 1_000_000);
    return new Evaluation(
        table.get("samples", count, (long) initial.samples).intValue(),
        table.get("references", count, (long) initial.references).intValue(),
        table.get("steps", Kind.listOf(Kind.whole(1, 10_000)), longs(initial.steps)).stream()
            .map(Long::intValue)
            .toList(),
        table.get("guidance", Kind.listOf(Kind.number(0, 1000)), initial.guidance),
        table.get("crossed", Kind.bool(), initial.crossed),
        table.get("weights", Kind.listOf(Kind.oneOf(List.of("ema", "raw"))), initial.weights),
        table.get("towers", Kind.text(), initial.towers),
        table.get("seed", Kind.whole(0), initial.seed),
        table.get("batch", Kind.whole(1, 4096), (long) initial.batch).intValue());
  }

  private static List<Long> longs(List<Integer> values) {
    return values.stream().map(Integer::longValue).toList();
  }

  /** The same with other towers. */
  public Evaluation withTowers(String folder) {
    return new Evaluation(
        samples, references, steps, guidance, crossed, weights, folder, seed, batch);
  }

  /** The samplers. */
  public List<Sampler> samplers() {
    int most = steps.stream().mapToInt(n -> n).max().orElseThrow();
    double largest = guidance.stream().mapToDouble(g -> g).max().orElseThrow();
    List<Sampler> all = new ArrayList<>();
    for (int n : steps) {
      for (double g : guidance) {
        if (crossed || n == most || g == largest) {
          all.add(new Sampler(n, g));
        }
      }
    }
    return List.copyOf(all);
  }

  /** Everything that decides what is measured, for the results file. */
  public Map<String, Object> values() {
    return Map.of(
        "samples", samples,
        "references", references,
        "steps", steps,
        "guidance", guidance,
        "crossed", crossed,
        "weights", weights,
        "towers", towers,
        "seed", seed);
  }
}
