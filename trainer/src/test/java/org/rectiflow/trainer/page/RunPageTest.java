package org.rectiflow.trainer.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.trainer.LogEvent;
import org.w3c.dom.Document;
import org.xml.sax.SAXException;

class RunPageTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Pattern FIGURE = Pattern.compile("<figure>.*?</figure>", Pattern.DOTALL);

  @TempDir private Path folder;

  /** A run of this many lines of its log, with pictures every tenth of it. */
  private void run(int lines, boolean ended) throws IOException {
    List<LogEvent> events = new ArrayList<>();
    events.add(
        new LogEvent.Run(
            0, "stars & <stripes>", Map.of("steps", 20L * lines, "path", "{facts}"), 100, 12345));
    for (int i = 1; i <= lines; i++) {
      long step = 10L * i;
      Map<String, Double> means = new LinkedHashMap<>();
      for (int t = 0; t < 8; t++) {
        means.put("t" + t, 1 + t / (1.0 + i));
      }
      double loss = i == 3 ? Double.NaN : 0.5 + 10.0 / i;
      events.add(new LogEvent.Train(step, loss, 3.0 / i, 1e-4, means));
      events.add(new LogEvent.Speed(step, 2.5 * i, 100 + i % 7, 300, 80));
      if (i % (lines / 10) == 0) {
        events.add(new LogEvent.Validation(step, "raw", 0.9, Map.of("t=0.5", 0.9)));
        events.add(new LogEvent.Validation(step, "ema", 0.8, Map.of("t=0.5", 0.8)));
        events.add(new LogEvent.Attention(step, List.of(3.0, 40.0), List.of(1.0, 2.0)));
        Path file = folder.resolve("samples/step-" + step).resolve("0.png");
        PngFile.write(
            file, new Picture(8, 8, new byte[3 * 64]), Map.of("Description", "a \"star\" <b>"));
        events.add(new LogEvent.Samples(step, List.of("samples/step-" + step + "/0.png")));
        events.add(new LogEvent.Checkpoint(step, "checkpoints/step-" + step, step == 10L * lines));
      }
    }
    if (ended) {
      events.add(new LogEvent.End(10L * lines));
    }
    StringBuilder text = new StringBuilder();
    for (LogEvent event : events) {
      ObjectNode json = MAPPER.createObjectNode();
      json.put("event", event.event());
      json.setAll((ObjectNode) MAPPER.valueToTree(event));
      text.append(json).append('\n');
    }
    Files.writeString(folder.resolve("log.jsonl"), text + "{\"event\":\"tr");
  }

  @Test
  void thePageShowsEveryCurve() throws Exception {
    run(50, true);
    String html = Files.readString(RunPage.write(folder));
    List<String> titles = new ArrayList<>();
    for (Document figure : figures(html)) {
      titles.add(figure.getElementsByTagName("figcaption").item(0).getTextContent());
      var lines = figure.getElementsByTagName("polyline");
      assertThat(lines.getLength()).isPositive();
      for (int i = 0; i < lines.getLength(); i++) {
        String points = lines.item(i).getAttributes().getNamedItem("points").getNodeValue();
        assertThat(points).matches("(-?\\d+\\.\\d,-?\\d+\\.\\d ?)+");
      }
    }
    assertThat(titles)
        .containsExactly(
            "Loss",
            "Training loss by timestep",
            "Validation loss by timestep",
            "Gradient norm",
            "Learning rate",
            "Largest attention logit by block",
            "Attention entropy by block, in nats",
            "Samples per second",
            "Memory in MB");
    assertThat(html)
        .contains("<h1>stars &amp; &lt;stripes&gt;</h1>")
        .contains("500 of 1000")
        .contains("12,345 in 100 tensors")
        .contains("checkpoints/step-500")
        .contains("alt=\"a &quot;star&quot; &lt;b&gt;\"")
        .contains("<td>{facts}</td>")
        .contains("0.125–0.25")
        .doesNotContain("NaN")
        .doesNotContain("http-equiv");
  }

  @Test
  void thePageNeedsNoNetwork() throws IOException {
    run(20, false);
    String html = Files.readString(RunPage.write(folder)).replace("http://www.w3.org/2000/svg", "");
    assertThat(html).doesNotContain("http://").doesNotContain("https://").doesNotContain("src=\"s");
    assertThat(html).contains("http-equiv=\"refresh\"").contains("under way").contains("time left");
  }

  @Test
  void theSizeIsBoundedForLongRuns() throws IOException {
    run(1000, false);
    long small = Files.size(RunPage.write(folder));
    run(10_000, false);
    long large = Files.size(RunPage.write(folder));
    System.out.printf("page of 1000 lines: %d bytes, of 10000: %d bytes%n", small, large);
    assertThat(large).isLessThan(500_000).isLessThan(small + small / 5);
  }

  @Test
  void theFirstLineAloneMakesAPage() throws IOException {
    Files.writeString(
        folder.resolve("log.jsonl"),
        "{\"event\":\"run\",\"step\":0,\"name\":\"r\",\"config\":{\"steps\":5},\"tensors\":1,\"parameters\":2}\n");
    assertThat(Files.readString(RunPage.write(folder))).contains("No step is logged yet");
  }

  @Test
  void theSameEverywhere() throws IOException {
    run(30, true);
    String here = Files.readString(RunPage.write(folder));
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY);
      assertThat(Files.readString(RunPage.write(folder))).isEqualTo(here);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void theKeeperWritesALastTimeAndReportsTroubleOnce() throws IOException {
    run(20, true);
    List<String> complaints = new ArrayList<>();
    try (PageKeeper keeper = PageKeeper.start(folder, complaints::add)) {
      assertThat(keeper).isNotNull();
    }
    assertThat(folder.resolve(RunPage.NAME)).exists();
    assertThat(complaints).isEmpty();
    Files.writeString(folder.resolve("log.jsonl"), "no json\n");
    PageKeeper.start(folder, complaints::add).close();
    assertThat(complaints).singleElement().asString().contains("line 1 is no JSON");
  }

  @Test
  void aMissingLogIsAnError() {
    assertThatThrownBy(() -> RunPage.write(folder)).isInstanceOf(IOException.class);
  }

  @Test
  void ticksAreRound() {
    assertThat(Chart.nice(0, 1)).containsExactly(0, 0.2, 0.4, 0.6000000000000001, 0.8, 1);
    assertThat(Chart.nice(37, 4100)).containsExactly(1000, 2000, 3000, 4000);
    assertThat(Html.number(0.6000000000000001)).isEqualTo("0.6");
    assertThat(Html.number(1234567)).isEqualTo("1.23e+06");
    assertThat(Html.number(1e-4)).isEqualTo("1e-04");
    assertThat(Html.duration(3725)).isEqualTo("1 h 02 min");
  }

  /** The figures are XML too. */
  private static List<Document> figures(String html)
      throws IOException, ParserConfigurationException, SAXException {
    List<Document> figures = new ArrayList<>();
    Matcher matcher = FIGURE.matcher(html);
    while (matcher.find()) {
      figures.add(
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new ByteArrayInputStream(matcher.group().getBytes(StandardCharsets.UTF_8))));
    }
    return figures;
  }
}
