package org.rectiflow.trainer.page;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.rectiflow.pipeline.io.AtomicFiles;

/**
 * Writes {@code page.html} into a run's folder: what its log and sample pictures say, in one file
 * that needs no other and no network. Its size is bounded, however long the run. While the run goes
 * on the page loads itself anew now and then.
 */
public final class RunPage {
  /** The page's name in the run's folder. */
  public static final String NAME = "page.html";

  private static final String REFRESH = "<meta http-equiv=\"refresh\" content=\"30\">";
  private static final Pattern PLACE = Pattern.compile("\\{(\\w+)}");

  /** What the smoothed training loss keeps of itself at each line of the log. */
  private static final double KEEP = 0.9;

  private RunPage() {}

  /**
   * Writes the page anew; readers see the old one or the new one, never half of one.
   *
   * @param folder the run's
   * @return the page
   * @throws IOException if the log cannot be read or the page not written
   */
  public static Path write(Path folder) throws IOException {
    RunHistory history = RunHistory.read(folder.resolve("log.jsonl"));
    String name =
        history
            .run()
            .map(run -> run.path("name").asText())
            .orElse(String.valueOf(folder.getFileName()));
    Map<String, String> parts =
        Map.of(
            "refresh", history.ended() ? "" : REFRESH,
            "style", resource("page.css"),
            "script", resource("page.js"),
            "name", Html.escape(name),
            "facts", facts(history),
            "samples", SampleTable.html(folder, history.samples()),
            "charts", charts(history),
            "settings", settings(history));
    String html =
        PLACE
            .matcher(resource("page.html"))
            .replaceAll(match -> Matcher.quoteReplacement(parts.get(match.group(1))));
    Path page = folder.resolve(NAME);
    AtomicFiles.write(page, temporary -> Files.writeString(temporary, html));
    return page;
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = RunPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the program's own file " + name + " is missing");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String facts(RunHistory history) {
    long steps = history.run().map(r -> r.path("config").path("steps").asLong()).orElse(0L);
    StringBuilder html = new StringBuilder();
    String state = history.ended() ? "finished" : "under way";
    fact(html, "state", state);
    fact(html, "step", steps > 0 ? history.step() + " of " + steps : "" + history.step());
    fact(html, "time so far", Html.duration(history.seconds()));
    if (!history.ended() && steps > history.step() && history.step() > 0) {
      double left = history.seconds() / history.step() * (steps - history.step());
      fact(html, "time left", "about " + Html.duration(left));
    }
    last(history, "samplesPerSecond")
        .ifPresent(v -> fact(html, "samples per second", Html.number(v)));
    history
        .run()
        .ifPresent(run ->
            fact(
                html,
                "trained numbers",
                Html.format(
                    "%,d in %d tensors",
                    run.path("parameters").asLong(), run.path("tensors").asInt())));
    history.checkpoints().stream()
        .filter(RunHistory.Written::best)
        .reduce((_, later) -> later)
        .ifPresent(best -> fact(html, "best checkpoint", best.folder()));
    if (!history.checkpoints().isEmpty()) {
      fact(html, "latest checkpoint", history.checkpoints().getLast().folder());
    }
    return html.toString();
  }

  private static void fact(StringBuilder html, String name, String value) {
    html.append(
        Html.format("<div><dt>%s</dt><dd>%s</dd></div>\n", Html.escape(name), Html.escape(value)));
  }

  private static Optional<Double> last(RunHistory history, String curve) {
    List<Series.Point> points = history.curve(curve);
    return points.isEmpty() ? Optional.empty() : Optional.of(points.getLast().y());
  }

  private static String charts(RunHistory history) {
    List<Chart> charts = new ArrayList<>();
    Series loss = new Series("training", history.curve("loss"), "var(--one)", true);
    charts.add(
        new Chart(
            "Loss",
            "Training: the mean since the last line of the log, and behind it unsmoothed.",
            List.of(
                loss,
                loss.smoothed("training", KEEP),
                new Series("validation", history.curve("validation raw"), "var(--two)"),
                new Series(
                    "validation, moving average", history.curve("validation ema"), "var(--three)")),
            false));
    charts.add(
        chart(
            "Training loss by timestep",
            "The timesteps in eight equal parts; 0 is data, 1 is noise. Smoothed.",
            history,
            "mean ",
            "t\\d+",
            false));
    charts.add(
        chart(
            "Validation loss by timestep",
            "Of the moving average if there is one.",
            history,
            history.names("detail ema ").isEmpty() ? "detail raw " : "detail ema ",
            ".*",
            false));
    charts.add(
        chart(
            "Other means",
            "What the task reports besides its loss.",
            history,
            "mean ",
            "(?!t\\d+$).*",
            false));
    charts.add(
        new Chart(
            "Gradient norm",
            "Before clipping.",
            List.of(new Series("norm", history.curve("gradientNorm"), "var(--one)")),
            true));
    charts.add(
        new Chart(
            "Learning rate",
            "",
            List.of(new Series("learning rate", history.curve("learningRate"), "var(--one)")),
            false));
    charts.add(
        chart(
            "Largest attention logit by block",
            "Figure 5 of the paper: without normalised queries and keys it grows until training breaks.",
            history,
            "maxLogit ",
            ".*",
            true));
    charts.add(
        chart(
            "Attention entropy by block, in nats",
            "Figure 5 of the paper.",
            history,
            "entropy ",
            ".*",
            false));
    charts.add(
        new Chart(
            "Samples per second",
            "Without validation and sample pictures.",
            List.of(new Series("speed", history.curve("samplesPerSecond"), "var(--one)")),
            false));
    charts.add(
        new Chart(
            "Memory in MB",
            "",
            List.of(
                new Series("Java heap", history.curve("heapMegabytes"), "var(--one)"),
                new Series("activations", history.curve("arenaMegabytes"), "var(--two)")),
            false));
    StringBuilder html = new StringBuilder();
    charts.stream().filter(chart -> !chart.isEmpty()).map(Chart::html).forEach(html::append);
    return html.isEmpty() ? "<p class=\"note\">No step is logged yet.</p>" : html.toString();
  }

  /** All curves whose names begin alike, from blue to red in their order. */
  private static Chart chart(
      String title,
      String note,
      RunHistory history,
      String prefix,
      String pattern,
      boolean logarithmic) {
    List<String> names =
        history.names(prefix).stream().filter(name -> name.matches(pattern)).toList();
    List<Series> series = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      double hue = names.size() == 1 ? 215 : 250 - 235.0 * i / (names.size() - 1);
      Series one =
          new Series(
              label(prefix, names.get(i)),
              history.curve(prefix + names.get(i)),
              Html.format("hsl(%.0f 65%% 50%%)", hue));
      series.add(prefix.equals("mean ") ? one.smoothed(one.name(), KEEP) : one);
    }
    return new Chart(title, note, series, logarithmic);
  }

  /** The name of a curve for people: {@code t3} is the fourth of eight parts of the timesteps. */
  private static String label(String prefix, String name) {
    if (prefix.equals("maxLogit ") || prefix.equals("entropy ")) {
      return "block " + name;
    }
    if (!prefix.equals("mean ") || !name.matches("t\\d+")) {
      return name;
    }
    int part = Integer.parseInt(name.substring(1));
    return Html.format("%s–%s", Html.number(part / 8.0), Html.number((part + 1) / 8.0));
  }

  private static String settings(RunHistory history) {
    StringBuilder html = new StringBuilder();
    history
        .run()
        .map(run -> run.path("config"))
        .ifPresent(config -> {
          for (var entry : config.properties()) {
            JsonNode value = entry.getValue();
            html.append(
                Html.format(
                    "<tr><th>%s</th><td>%s</td></tr>\n",
                    Html.escape(entry.getKey()),
                    Html.escape(value.isTextual() ? value.asText() : value.toString())));
          }
        });
    return html.toString();
  }
}
