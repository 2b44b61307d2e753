package org.rectiflow.paper.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** The computed numbers beside the paper's. */
class ItemsTest {

  @Test
  void figure3ShowsTheEulerVectorsAndTheCaution() {
    Rendering figure = Figure3.render();
    DataTable vectors = table(figure, "figure-03-euler-vectors");
    assertThat(vectors.rows().getFirst())
        .containsExactly("rf", "0.369231", "0.430783", "0.471201", "0.485397");
    assertThat(vectors.rows().get(1))
        .containsExactly("cos", "0.480704", "0.487531", "0.494316", "0.497038");
    assertThat(figure.pictures())
        .extracting(picture -> picture.name())
        .containsExactly("figure-03-exact-error", "figure-03-miniature");
    assertThat(figure.notes().getFirst()).contains("Caution").contains("cosine path is the easier");
    // What the caution says of the picture.
    assertThat(error(figure, "N(0, 0.25)", "cos", "5"))
        .isLessThan(error(figure, "N(0, 0.25)", "rf", "5"));
    for (String steps : List.of("5", "10", "25", "50", "100")) {
      assertThat(error(figure, "clusters at -1 and 1, std 0.05", "rf", steps))
          .isLessThan(error(figure, "clusters at -1 and 1, std 0.05", "cos", steps));
    }
  }

  private static double error(Rendering figure, String data, String sampler, String steps) {
    return table(figure, "figure-03-exact-error").rows().stream()
        .filter(row -> row.subList(0, 3).equals(List.of(data, sampler, steps)))
        .mapToDouble(row -> Double.parseDouble(row.get(3)))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void figure6IsTheShift() {
    DataTable table = table(Figure6.render(), "figure-06-shift");
    int three = table.columns().indexOf("t_m at alpha 3.0");
    for (List<String> row : table.rows()) {
      double t = Double.parseDouble(row.getFirst());
      assertThat(Double.parseDouble(row.get(three))).isCloseTo(3 * t / (1 + 2 * t), within(1e-15));
    }
  }

  @Test
  void figure8CountsTheModels() {
    DataTable table = table(Figure8.render(), "figure-08-sizes");
    assertThat(table.rows().stream().map(row -> row.get(2)))
        .containsExactly(
            "496,066,624",
            "856,159,552",
            "1,358,950,720",
            "2,028,328,000",
            "3,962,392,384",
            "8,056,617,792",
            "");
  }

  /** Each density's column integrates to 1 by the midpoint rule on its 400 points. */
  @Test
  void figure11ShowsDensities() {
    DataTable table = table(Figure11.render(), "figure-11-densities");
    for (int column = 1; column < table.columns().size(); column++) {
      int c = column;
      double integral =
          table.rows().stream()
              .mapToDouble(row -> Double.parseDouble(row.get(c)))
              .average()
              .orElseThrow();
      // mode(1.75) is a spike and mode(-1.00) infinite at the ends; the rule sees them coarsely.
      double tolerance =
          List.of("mode(1.75)", "mode(-1.00)").contains(table.columns().get(c)) ? 0.2 : 0.005;
      assertThat(integral).as(table.columns().get(c)).isCloseTo(1, within(tolerance));
    }
  }

  @Test
  void figure16FindsWhatWasPlanted() {
    DataTable table = table(Figure16.render(), "figure-16-deduplication");
    for (List<String> row : table.rows()) {
      assertThat(row.get(2)).isEqualTo(row.get(1));
      assertThat(Integer.parseInt(row.get(3))).isLessThanOrEqualTo(Integer.parseInt(row.get(1)));
    }
  }

  @Test
  void figure17ShowsThatDuplicatesAreWhatIsMemorised() {
    DataTable table = table(Figure17.render(), "figure-17-memorization");
    List<String> ten =
        table.rows().stream().filter(row -> row.getFirst().equals("10")).findFirst().orElseThrow();
    assertThat(Integer.parseInt(ten.get(1))).isGreaterThan(100);
    assertThat(Integer.parseInt(ten.get(2))).isLessThan(20);
  }

  @Test
  void table1ConsistsOfWholeRankSums() {
    Rendering table = Table1.render();
    assertThat(table(table, "table-01-printed").csv()).doesNotContain("not whole");
    DataTable trained = table(table, "table-01-miniature");
    assertThat(trained.rows()).hasSize(16);
    assertThat(trained.rows().stream().map(List::getFirst))
        .containsExactlyInAnyOrderElementsOf(Table1.meanRanks().keySet());
    assertThat(trained.rows())
        .allSatisfy(row ->
            assertThat(Double.parseDouble(row.getLast()))
                .isEqualTo(Table1.meanRanks().get(row.getFirst())));
    assertThat(table.notes().getFirst()).contains("400 steps");
    assertThat(table(table, "table-01-printed").rows().getFirst().get(2)).isEqualTo("37");
    DataTable exact = table(table, "table-01-exact");
    int formulations = exact.rows().stream().mapToInt(row -> Integer.parseInt(row.get(1))).sum();
    assertThat(formulations).isEqualTo(61);
  }

  @Test
  void table2MarksAndRanksAsThePaperDoes() {
    DataTable table = table(Table2.render(), "table-02-ranks");
    assertThat(column(table, 3)).containsExactly("3", "5", "3", "4", "4", "1", "1", "2", "2", "2");
    assertThat(column(table, 6)).containsExactly("4", "6", "2", "5", "5", "1", "3", "1", "1", "1");
    assertThat(table.rows().getLast()).contains("0.250", "45.78 (3)", "0.224 (3)", "89.91 (2)");
  }

  @Test
  void table3ConvertsPsnr() {
    DataTable table = table(Table3.render(), "table-03-autoencoders");
    List<String> row =
        table.rows().stream()
            .filter(r -> r.getFirst().startsWith("root mean square"))
            .findFirst()
            .orElseThrow();
    double error = Double.parseDouble(row.getLast());
    assertThat(20 * Math.log10(255 / error)).isCloseTo(28.62, within(0.01));
  }

  @Test
  void table4OverallEqualsThePrintedOne() {
    DataTable table = table(Table4.render(), "table-04-geneval");
    List<String> computed = table.rows().get(6);
    List<String> printed = table.rows().get(7);
    assertThat(computed.subList(1, 5)).isEqualTo(printed.subList(1, 5));
  }

  @Test
  void table5OverallAgreesWithThePrintedOne() {
    Rendering table = Table5.render();
    assertThat(table.notes().getFirst()).startsWith("15 of 15");
    for (List<String> row : table(table, "table-05-geneval").rows()) {
      assertThat(Double.parseDouble(row.get(2)))
          .isCloseTo(Double.parseDouble(row.get(1)), within(0.0101));
    }
  }

  @Test
  void table6HasTheStraightPaths() {
    Rendering table = Table6.render();
    assertThat(column(table(table, "table-06-straight-paths"), 2))
        .containsExactly("181.02", "362.04", "724.08");
    // The exact path for N(0, I) has length (2 - sqrt 2) sqrt(dim); Euler comes near with 50 steps.
    List<String> gaussian = table(table, "table-06-exact").rows().getLast();
    assertThat(Double.parseDouble(gaussian.getLast())).isCloseTo(74.98, within(1.0));
  }

  @Test
  void table7EqualsThePrintedStorage() {
    DataTable table = table(Table7.render(), "table-07-pre-encoding");
    assertThat(column(table, 5)).containsExactly("65,536", "121,344", "202,240", "630,784");
    assertThat(column(table, 2)).isEqualTo(column(table, 1));
  }

  @Test
  void algorithmsDecideTheirCases() {
    assertThat(column(table(Algorithms.duplicates(), "algorithm-1"), 3))
        .containsExactly("kept", "removed", "kept", "kept", "removed");
    DataTable memorization = table(Algorithms.memorization(), "algorithm-2");
    assertThat(column(memorization, 4))
        .containsExactly("memorised", "memorised", "memorised", "novel", "novel");
  }

  private static List<String> column(DataTable table, int index) {
    return table.rows().stream().map(row -> row.get(index)).toList();
  }

  private static DataTable table(Rendering rendering, String name) {
    return rendering.tables().stream()
        .filter(table -> table.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
