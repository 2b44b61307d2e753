package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.evaluation.RankingStudy.RankedVariant;
import org.rectiflow.evaluation.RankingStudy.Score;

class RankingStudyTest {

  @Test
  void paperHas24Settings() {
    List<ControlSetting> settings = ControlSetting.paper();
    assertThat(settings).hasSize(24).doesNotHaveDuplicates();
    assertThat(settings).filteredOn(s -> s.steps() == 5).hasSize(4);
    assertThat(settings).filteredOn(s -> s.steps() == 50).hasSize(12);
    assertThat(settings).filteredOn(s -> s.steps() == 50 && s.guidance() == 5).hasSize(4);
  }

  @Test
  void averagesRanksOverTheSettingsOfAColumn() {
    ControlSetting few = new ControlSetting("A", true, 5, 5);
    ControlSetting many = new ControlSetting("A", true, 50, 5);
    RankingStudy study = new RankingStudy(List.of("x", "y", "z"));
    study.add(
        few, Map.of("x", new Score(0.2, 10), "y", new Score(0.3, 9), "z", new Score(0.1, 11)));
    study.add(many, Map.of("x", new Score(0.4, 5), "y", new Score(0.3, 6), "z", new Score(0.5, 7)));

    assertThat(study.ranks(few)).containsExactly(2, 1, 3);
    assertThat(study.ranks(many)).containsExactly(1, 2, 1);
    assertThat(study.settings()).containsExactly(few, many);
    assertThat(study.meanRanks(_ -> true))
        .containsExactly(
            new RankedVariant("x", 1.5), new RankedVariant("y", 1.5), new RankedVariant("z", 2));
    assertThat(study.meanRanks(s -> s.steps() == 5).getFirst())
        .isEqualTo(new RankedVariant("y", 1));
  }

  @Test
  void refusesWrongStudies() {
    ControlSetting setting = new ControlSetting("A", true, 5, 5);
    RankingStudy study = new RankingStudy(List.of("x"));
    study.add(setting, Map.of("x", new Score(1, 1)));

    assertThatThrownBy(() -> study.add(setting, Map.of("x", new Score(1, 1))))
        .hasMessageContaining("was added before");
    ControlSetting other = new ControlSetting("B", true, 5, 5);
    assertThatThrownBy(() -> study.add(other, Map.of("w", new Score(1, 1))))
        .hasMessageContaining("scores of")
        .hasMessageContaining("[w]")
        .hasMessageContaining("[x]");
    assertThatThrownBy(() -> study.ranks(other)).hasMessageContaining("was not added");
    assertThatThrownBy(() -> study.meanRanks(s -> s.steps() == 99))
        .hasMessageContaining("no control setting");
    assertThatThrownBy(() -> new RankingStudy(List.of("x", "x")))
        .hasMessageContaining("distinct variants");
    assertThatThrownBy(() -> new RankingStudy(List.of())).hasMessageContaining("at least one");
    assertThatThrownBy(() -> new ControlSetting("A", true, 0, 5))
        .hasMessageContaining("steps must be at least 1");
    assertThatThrownBy(() -> new ControlSetting("A", true, 5, Double.NaN))
        .hasMessageContaining("guidance");
  }
}
