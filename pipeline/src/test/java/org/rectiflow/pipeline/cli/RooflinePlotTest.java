package org.rectiflow.pipeline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.knowm.xchart.internal.series.Series;
import org.rectiflow.engine.Cost;
import org.rectiflow.engine.Profile.Entry;
import org.rectiflow.engine.Roofs;

class RooflinePlotTest {
  @TempDir private Path folder;

  private static DeviceRun run(String device, Optional<Roofs> roofs) {
    List<Entry> entries =
        List.of(
            new Entry("Linear", "mmdit", 2, 1_000_000, new Cost(5e7, 1e6)),
            new Entry("Attention", "mmdit", 2, 2_000_000, new Cost(2e7, 2e6)),
            new Entry("Slice", "mmdit", 2, 1000, new Cost(0, 1e5)));
    return new DeviceRun(device, "a device", roofs, Map.of(), entries, List.of());
  }

  @Test
  void drawsRoofsAndKernelsOfAllDevices() throws IOException {
    Path name = folder.resolve("roof");
    List<DeviceRun> runs =
        List.of(run("cpu", Optional.of(new Roofs(100, 10))), run("other", Optional.empty()));
    assertThat(RooflinePlot.chart(runs).getSeriesCollection())
        .extracting(Series::getName)
        .containsExactly(
            "cpu: 100 GFLOP/s, 10 GB/s",
            "cpu Attention",
            "cpu Linear",
            "other Attention",
            "other Linear");
    RooflinePlot.write(name, runs);
    BufferedImage image = ImageIO.read(folder.resolve("roof.png").toFile());
    assertThat(image.getWidth()).isEqualTo(960);
    assertThat(Files.readString(folder.resolve("roof.svg"))).contains("<svg").endsWith("</svg>\n");
  }
}
