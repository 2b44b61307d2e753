package org.rectiflow.evaluation;

import java.util.EnumMap;
import java.util.Map;

/**
 * The aggregation of GenEval (Ghosh et al. 2023), which gives the overall column of Tables 4 and 5:
 * the unweighted mean of the six task rates, not the rate over all pictures.
 */
public final class GenEval {

  /** Pictures drawn for each prompt. */
  public static final int IMAGES_PER_PROMPT = 4;

  /** The six tasks with their number of prompts, 553 in all. */
  public enum Task {
    /** One object. */
    SINGLE_OBJECT("Single object", 80),
    /** Two objects. */
    TWO_OBJECTS("Two objects", 99),
    /** Several objects of a kind. */
    COUNTING("Counting", 80),
    /** An object of a colour. */
    COLORS("Colors", 94),
    /** Two objects, one placed relative to the other. */
    POSITION("Position", 100),
    /** Two objects, each of its colour. */
    COLOR_ATTRIBUTION("Color attribution", 100);

    private final String label;
    private final int prompts;

    Task(String label, int prompts) {
      this.label = label;
      this.prompts = prompts;
    }

    /** The name in Table 4. */
    public String label() {
      return label;
    }

    /** Prompts of the benchmark for this task. */
    public int prompts() {
      return prompts;
    }

    /** Pictures of this task in a full run. */
    public int images() {
      return prompts * IMAGES_PER_PROMPT;
    }
  }

  /** Correct pictures of a task, and all of them. */
  public record Count(int correct, int total) {
    /**
     * Refuses impossible counts.
     *
     * @throws IllegalArgumentException unless 0 &lt;= correct &lt;= total and total &gt; 0
     */
    public Count {
      if (total < 1 || correct < 0 || correct > total) {
        throw new IllegalArgumentException(
            "%d correct of %d is not a count".formatted(correct, total));
      }
    }

    /** Success rate in [0, 1]. */
    public double rate() {
      return (double) correct / total;
    }
  }

  private GenEval() {}

  /**
   * The whole count of a full run that a printed percentage stands for; Table 4 prints multiples of
   * one picture, such as 11.75 % = 47 of 400.
   *
   * @param percent the printed rate, with {@code decimals} decimals
   * @throws IllegalArgumentException if no whole number of pictures rounds to that print
   */
  public static Count countFromPercent(Task task, double percent, int decimals) {
    int total = task.images();
    long correct = Math.round(percent * total / 100);
    double half = 0.5 * Math.pow(10, -decimals) * (1 + 1e-9);
    if (correct < 0 || correct > total || Math.abs(100.0 * correct / total - percent) > half) {
      throw new IllegalArgumentException(
          "%s %% is not a whole number of the %d pictures of %s"
              .formatted(percent, total, task.label()));
    }
    return new Count((int) correct, total);
  }

  /**
   * Overall score of counted tasks.
   *
   * @throws IllegalArgumentException if a task is missing
   */
  public static double overallOfCounts(Map<Task, Count> counts) {
    Map<Task, Double> rates = new EnumMap<>(Task.class);
    counts.forEach((task, count) -> rates.put(task, count.rate()));
    return overall(rates);
  }

  /**
   * Overall score: the mean of the six rates, in their unit (fractions or percents).
   *
   * @throws IllegalArgumentException if a task is missing or a rate is not finite
   */
  public static double overall(Map<Task, Double> rates) {
    double sum = 0;
    for (Task task : Task.values()) {
      Double rate = rates.get(task);
      if (rate == null || !Double.isFinite(rate)) {
        throw new IllegalArgumentException(
            "the rate of task %s is %s; all six tasks are needed".formatted(task.label(), rate));
      }
      sum += rate;
    }
    return sum / Task.values().length;
  }
}
