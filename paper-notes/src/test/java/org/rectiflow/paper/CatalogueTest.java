package org.rectiflow.paper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.rectiflow.paper.PaperItem.Coverage;
import org.rectiflow.paper.PaperItem.Kind;

class CatalogueTest {

  @Test
  void listsEveryNumberedItemOfThePaper() {
    assertThat(numbers(Kind.FIGURE)).isEqualTo(IntStream.rangeClosed(1, 17).boxed().toList());
    assertThat(numbers(Kind.TABLE)).isEqualTo(IntStream.rangeClosed(1, 7).boxed().toList());
    assertThat(numbers(Kind.ALGORITHM)).isEqualTo(List.of(1, 2));
    assertThat(Catalogue.all()).hasSize(26);
  }

  private static List<Integer> numbers(Kind kind) {
    return Catalogue.all(kind).stream().map(PaperItem::number).toList();
  }

  /** Whatever is not wholly redrawn says what it lacks. */
  @Test
  void saysWhatIsMissing() {
    for (PaperItem item : Catalogue.all()) {
      assertThat(item.subject()).isNotBlank();
      if (item.coverage() != Coverage.WHOLE) {
        assertThat(item.training() + item.unavailable()).as(item.label()).isNotBlank();
      }
      assertThat(item.shown().isEmpty()).isEqualTo(item.renderer().isEmpty());
    }
  }

  @Test
  void unknownNumbersAreRefusedWithTheValidOnes() {
    assertThatThrownBy(() -> Catalogue.find(Kind.TABLE, 8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The paper has no table 8; it has the tables 1, 2, 3, 4, 5, 6, 7.");
    assertThat(Catalogue.find(Kind.FIGURE, 6).label()).isEqualTo("Figure 6");
  }

  @Test
  void coverageAndRendererBelongTogether() {
    assertThatThrownBy(
            () -> new PaperItem(Kind.FIGURE, 1, "x", Coverage.WHOLE, "x", "", "", Optional.empty()))
        .hasMessageContaining("figure 1 must have a renderer");
  }
}
