package org.rectiflow.paper.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the studies gave is there, whole, and says how to do it again. */
class MiniatureTest {

  @ParameterizedTest
  @CsvSource({
    "formulations, ranking, 16",
    "formulations, steps, 16",
    "backbones, training, 5",
    "backbones, scores, 5",
    "qk-norm, attention, 2",
    "qk-norm, scores, 2",
    "scaling, training, 3",
    "scaling, scaling, 3",
    "efficiency, efficiency, 3",
    "captions, categories, 7",
    "channels, depth, 3",
    "channels, preparations, 3"
  })
  void hasEachVariant(String study, String table, int variants) {
    Miniature miniature = Miniature.of(study);
    Miniature.Cells cells = miniature.cells(table);
    assertThat(cells.byVariant()).hasSize(variants);
    assertThat(cells.rows()).allSatisfy(row -> assertThat(row).hasSameSizeAs(cells.columns()));
    assertThat(miniature.notes())
        .anySatisfy(note ->
            assertThat(note)
                .contains("`./run.sh ablate study/studies/" + study + ".toml --budget minutes`"))
        .anySatisfy(note -> assertThat(note).contains("agrees"));
  }

  @Test
  void figure5ShowsWhatItsNotesSay() {
    Map<String, List<List<String>>> attention =
        Miniature.of("qk-norm").cells("attention").byVariant();
    assertThat(largest(attention.get("without"))).isBetween(16.5, 17.5);
    assertThat(largest(attention.get("with"))).isLessThan(8);
  }

  private static double largest(List<List<String>> rows) {
    return rows.stream().mapToDouble(row -> Double.parseDouble(row.get(1))).max().orElseThrow();
  }

  @Test
  void aStudyThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> Miniature.of("nonsense")).hasMessageContaining("nonsense-notes.txt");
  }
}
