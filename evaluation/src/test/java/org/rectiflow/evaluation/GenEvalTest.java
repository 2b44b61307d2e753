package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.evaluation.GenEval.Count;
import org.rectiflow.evaluation.GenEval.Task;

class GenEvalTest {

  /** Table 4, in the order of {@link Task}. */
  private static final double[] ORIGINAL = {95.00, 41.41, 33.44, 71.54, 6.50, 11.75};

  private static final double[] MIXED = {93.75, 52.53, 41.56, 68.09, 18.00, 24.75};

  @Test
  void promptsOfTheBenchmark() {
    assertThat(Arrays.stream(Task.values()).mapToInt(Task::prompts).sum()).isEqualTo(553);
  }

  @Test
  void table4IsMadeOfWholePicturesAndItsOverallIsTheMean() {
    assertThat(100 * GenEval.overallOfCounts(counts(ORIGINAL))).isCloseTo(43.27, within(0.005));
    assertThat(100 * GenEval.overallOfCounts(counts(MIXED))).isCloseTo(49.78, within(0.005));
    assertThat(counts(ORIGINAL).get(Task.COLOR_ATTRIBUTION)).isEqualTo(new Count(47, 400));
    assertThat(counts(ORIGINAL).get(Task.COLORS)).isEqualTo(new Count(269, 376));
    assertThat(counts(MIXED).get(Task.TWO_OBJECTS)).isEqualTo(new Count(208, 396));
  }

  @Test
  void overallIsNotWeightedByTaskSize() {
    Map<Task, Double> rates = new EnumMap<>(Task.class);
    for (Task task : Task.values()) {
      rates.put(task, task == Task.TWO_OBJECTS ? 0.6 : 0.0);
    }
    assertThat(GenEval.overall(rates)).isCloseTo(0.1, within(1e-15));
  }

  @Test
  void refusesIncompleteOrImpossibleResults() {
    assertThatThrownBy(() -> GenEval.overall(Map.of(Task.COUNTING, 0.5)))
        .hasMessageContaining("Single object is null; all six");
    assertThatThrownBy(() -> GenEval.countFromPercent(Task.COUNTING, 33.40, 2))
        .hasMessageContaining("33.4 % is not a whole number of the 320 pictures of Counting");
    assertThatThrownBy(() -> GenEval.countFromPercent(Task.COUNTING, 101, 2))
        .hasMessageContaining("101");
    assertThatThrownBy(() -> new Count(5, 4)).hasMessageContaining("5 correct of 4");
    assertThatThrownBy(() -> new Count(0, 0)).hasMessageContaining("0 correct of 0");
  }

  private static Map<Task, Count> counts(double[] percents) {
    Map<Task, Count> counts = new EnumMap<>(Task.class);
    int i = 0;
    for (Task task : Task.values()) {
      counts.put(task, GenEval.countFromPercent(task, percents[i++], 2));
    }
    return counts;
  }
}
