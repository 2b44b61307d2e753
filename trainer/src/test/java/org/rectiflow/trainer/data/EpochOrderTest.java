package org.rectiflow.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EpochOrderTest {
  private static List<Integer> epoch(EpochOrder order, int number) {
    return IntStream.range(number * 100, number * 100 + 100).map(order::at).boxed().toList();
  }

  @Test
  void everyEpochHasEveryExampleInAnotherOrder() {
    EpochOrder order = new EpochOrder(3, 100);
    List<Integer> all = IntStream.range(0, 100).boxed().toList();
    assertThat(epoch(order, 0)).containsExactlyInAnyOrderElementsOf(all).isNotEqualTo(all);
    assertThat(epoch(order, 5)).containsExactlyInAnyOrderElementsOf(all);
    assertThat(epoch(order, 5)).isNotEqualTo(epoch(order, 0));
  }

  @Test
  void theOrderFollowsFromTheSeedAlone() {
    EpochOrder order = new EpochOrder(3, 100);
    assertThat(order.at(517)).isEqualTo(new EpochOrder(3, 100).at(517));
    assertThat(epoch(order, 0)).isEqualTo(epoch(new EpochOrder(3, 100), 0));
    assertThat(epoch(order, 0)).isNotEqualTo(epoch(new EpochOrder(4, 100), 0));
  }
}
