package org.rectiflow.paper.items;

import java.util.List;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** Figure 4 in miniature: validation loss of five backbones during training, and their scores. */
public final class Figure4 {

  private Figure4() {}

  /** Draws what one run of {@code study/studies/backbones.toml} gave. */
  public static Rendering render() {
    Miniature study = Miniature.of("backbones");
    LineChart loss =
        VariantLines.chart("Trained for minutes", "training steps", "validation loss").xFormat("0");
    study.cells("training").draw(loss, 0, 1);
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-04-miniature",
                "Validation loss over training steps for DiT, CrossDiT, UViT and MM-DiT with two and"
                    + " three sets of weights",
                new Panels(1, "", loss))),
        List.of(
            study.cells("scores").table("figure-04-scores", "Scores after training"),
            study
                .cells("categories")
                .table("figure-04-categories", "Success rate [%] by category")),
        study.notes());
  }
}
