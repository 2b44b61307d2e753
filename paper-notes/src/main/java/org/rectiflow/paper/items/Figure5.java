package org.rectiflow.paper.items;

import java.util.List;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** Figure 5 in miniature: attention logits and entropy with and without QK-normalisation. */
public final class Figure5 {

  private Figure5() {}

  /** Draws what one run of {@code study/studies/qk-norm.toml} gave. */
  public static Rendering render() {
    Miniature study = Miniature.of("qk-norm");
    Miniature.Cells attention = study.cells("attention");
    LineChart logits =
        VariantLines.chart("Largest attention logit; QK-norm", "training steps", "logit")
            .xFormat("0");
    LineChart entropy =
        VariantLines.chart("Attention entropy; QK-norm", "training steps", "nats").xFormat("0");
    attention.draw(logits, 0, 1);
    attention.draw(entropy, 0, 2);
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-05-miniature",
                "Largest attention logit and attention entropy over training steps, with and without"
                    + " normalised queries and keys",
                new Panels(2, "", logits, entropy))),
        List.of(study.cells("scores").table("figure-05-scores", "Scores after training")),
        study.notes());
  }
}
