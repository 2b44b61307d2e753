package org.rectiflow.benchmarks.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoundsTest {
  /** Takes no time but says so: the times given, one after the other. */
  private static final class Scripted implements Contender {
    private final String name;
    private final List<String> log;
    private final double[] times;
    private int runs;

    Scripted(String name, List<String> log, double... times) {
      this.name = name;
      this.log = log;
      this.times = times;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public double seconds() {
      log.add(name);
      return times[runs++ % times.length];
    }
  }

  private final List<String> log = new ArrayList<>();

  /** A machine that gets three times slower half way spoils no ratio. */
  @Test
  void ratiosAreFormedWithinRounds() {
    Contender fast = new Scripted("fast", log, 1, 1, 3, 3);
    Contender slow = new Scripted("slow", log, 2, 2, 6, 6);
    Rounds rounds = Rounds.run(List.of(fast, slow), 4, 0);
    assertThat(rounds.speed(fast, slow)).isEqualTo(new Spread(2, 2, 2));
    assertThat(rounds.speed(slow, fast)).isEqualTo(new Spread(0.5, 0.5, 0.5));
  }

  @Test
  void everyRoundBeginsWithAnother() {
    Contender a = new Scripted("a", log, 1);
    Contender b = new Scripted("b", log, 1);
    Contender c = new Scripted("c", log, 1);
    Rounds.run(List.of(a, b, c), 3, 0);
    assertThat(String.join("", log)).isEqualTo("abcbcacab");
  }

  @Test
  void shortRunsAreRepeatedAndAveragedWithoutTheFirst() {
    Contender quick = new Scripted("quick", log, 0.4, 0.1, 0.3, 0.2);
    Rounds rounds = Rounds.run(List.of(quick), 1, 0.5);
    assertThat(log).hasSize(4);
    assertThat(rounds.seconds(quick)[0]).isCloseTo(0.2, within(1e-15));
  }

  /** 10 operations in 2 s beside 40 in 4 s: half the rate. */
  @Test
  void fractionOfAPeak() {
    Contender kernel = new Scripted("kernel", log, 2);
    Contender peak = new Scripted("peak", log, 4);
    Rounds rounds = Rounds.run(List.of(kernel, peak), 3, 0);
    assertThat(rounds.fraction(kernel, 10, peak, 40)).isEqualTo(new Spread(0.5, 0.5, 0.5));
  }

  @Test
  void refusesWhatMakesNoSense() {
    Contender a = new Scripted("a", log, 1);
    assertThatThrownBy(() -> Rounds.run(List.of(a), 0, 0)).hasMessageContaining("0 rounds");
    assertThatThrownBy(() -> Rounds.run(List.of(), 1, 0)).hasMessageContaining("0 contenders");
    Rounds rounds = Rounds.run(List.of(a), 1, 0);
    assertThatThrownBy(() -> rounds.seconds(new Scripted("b", log, 1)))
        .hasMessage("b took no part");
  }
}
