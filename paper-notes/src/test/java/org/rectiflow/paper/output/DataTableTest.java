package org.rectiflow.paper.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DataTableTest {

  private static final DataTable TABLE =
      DataTable.of("a-table", "A <title>", "name", "number")
          .row("one, two", "1.5")
          .row("say \"hi\"", "10")
          .build();

  @Test
  void csvQuotesWhatNeedsIt() {
    assertThat(TABLE.csv()).isEqualTo("name,number\n\"one, two\",1.5\n\"say \"\"hi\"\"\",10\n");
  }

  @Test
  void textIsAligned() {
    assertThat(TABLE.text())
        .isEqualTo(
            """
            A <title>
            name      number
            ----------------
            one, two     1.5
            say "hi"      10
            """);
  }

  @Test
  void htmlIsEscaped() {
    assertThat(TABLE.html())
        .contains("<caption>A &lt;title&gt;</caption>")
        .contains("<th>name</th><th>number</th>")
        .contains("<td>say &quot;hi&quot;</td><td>10</td>");
    assertThat(Html.escape("a & b")).isEqualTo("a &amp; b");
  }

  @Test
  void refusesRaggedRowsAndOddNames() {
    assertThatThrownBy(() -> DataTable.of("t", "t", "a", "b").row("1").build())
        .hasMessage("row 0 of table t has 1 cells, expected 2");
    assertThatThrownBy(() -> DataTable.of("../t", "t", "a").build())
        .hasMessageContaining("found '../t'");
  }
}
