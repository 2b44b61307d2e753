package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.evaluation.MmditSize;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/**
 * Figure 8: the sizes of the models and the compute they were trained with, and curves of small
 * ones.
 */
public final class Figure8 {

  /** Tokens of a 256 x 256 picture and its caption: 16 x 16 patches, 77 + 77 text tokens. */
  private static final long TOKENS = 256 + 154;

  private static final long STEPS = 500_000;
  private static final long BATCH = 4096;

  private Figure8() {}

  /** Counts parameters by formula and by depth. */
  public static Rendering render() {
    DataTable.Builder table =
        DataTable.of(
            "figure-08-sizes",
            "Sizes of MM-DiT by depth d (hidden size 64 d), computed",
            "depth",
            "hidden size",
            "parameters",
            "with QK-norm",
            "the paper or release says",
            "6 N D [FLOPs]");
    int[] depths = {15, 18, 21, 24, 30, 38};
    String[] labels = {"", "0.8B (release)", "", "2B (paper)", "", "8B (paper)"};
    for (int i = 0; i < depths.length; i++) {
      MmditSize size = MmditSize.paper(depths[i], false);
      double flops = 6.0 * size.parameters() * TOKENS * STEPS * BATCH;
      table.row(
          Integer.toString(depths[i]),
          Long.toString(size.hidden()),
          Grids.grouped(size.parameters()),
          Grids.grouped(MmditSize.paper(depths[i], true).parameters()),
          labels[i],
          Grids.scientific(flops));
    }
    MmditSize medium = new MmditSize(24, 4096, 2048, 2, 16, true, 13);
    table.row(
        "24, dual attention in 13 blocks",
        Long.toString(medium.hidden()),
        "",
        Grids.grouped(medium.parameters()),
        "2.5B with its position table of " + Grids.grouped(medium.positionTable(384)),
        "");
    Miniature study = Miniature.of("scaling");
    List<String> notes = new ArrayList<>(study.notes());
    notes.add(
        "The losses, GenEval scores and preferences of the eight panels need training runs and"
            + " human raters; their values exist only inside the bitmap. 6 N D counts 500,000"
            + " steps of 4096 pictures with 410 tokens; the paper's conclusion says 5e22 for the"
            + " largest model without saying how it counts. As each token meets only its own"
            + " stream's weights, 6 N D is an upper estimate.");
    return new Rendering(
        List.of(curves(study)),
        List.of(table.build(), study.cells("scaling").table("figure-08-miniature", "Trained here")),
        notes);
  }

  private static NamedPicture curves(Miniature study) {
    LineChart loss =
        VariantLines.chart("Trained for minutes; depths", "training steps", "validation loss")
            .xFormat("0");
    study.cells("training").draw(loss, 0, 1);
    return new NamedPicture(
        "figure-08-miniature",
        "Validation loss over training steps for models of growing depth",
        new Panels(1, "", loss));
  }
}
