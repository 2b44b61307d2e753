package org.rectiflow.paper.items;

import java.util.List;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** Figure 10 in miniature: scores over depth for latents of 4, 8 and 16 channels. */
public final class Figure10 {

  private Figure10() {}

  /** Draws what one run of {@code study/studies/channels.toml} gave. */
  public static Rendering render() {
    Miniature study = Miniature.of("channels");
    Miniature.Cells depth = study.cells("depth");
    LineChart chart =
        VariantLines.chart(
                "Trained for minutes, 25 steps; channels of latents",
                "depth",
                depth.columns().get(2))
            .xFormat("0");
    depth.draw(chart, 0, 1);
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-10-miniature",
                "Frechet distance over the depth of the model for autoencoders of 4, 8 and 16"
                    + " channels",
                new Panels(1, "", chart))),
        List.of(depth.table("figure-10-depth", "Scores over depth")),
        study.notes());
  }
}
