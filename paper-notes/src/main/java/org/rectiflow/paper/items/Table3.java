package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** Table 3: reconstruction by autoencoders with 4, 8 and 16 latent channels. */
public final class Table3 {

  private Table3() {}

  /** Prints the table, with the pixel error that the PSNR stands for and the compression. */
  public static Rendering render() {
    DataTable table =
        DataTable.of(
                "table-03-autoencoders",
                "Table 3 as printed, and what follows from it",
                "metric",
                "4 channels",
                "8 channels",
                "16 channels")
            .row("FID", "2.41", "1.56", "1.06")
            .row("perceptual similarity", "0.85", "0.68", "0.45")
            .row("SSIM", "0.75", "0.79", "0.86")
            .row("PSNR [dB]", "25.12", "26.40", "28.62")
            .row("root mean square error [levels of 255]", error(25.12), error(26.40), error(28.62))
            .row("pixel values per latent value", "48", "24", "12")
            .build();
    Miniature study = Miniature.of("channels");
    List<String> notes = new ArrayList<>(study.notes());
    notes.add(
        "The metrics need the trained autoencoders and the evaluation set, which the paper does"
            + " not name. The last two rows are computed: 255 * 10^(-PSNR/20), and 3 * 8 * 8"
            + " divided by the channels. PSNR and SSIM themselves are"
            + " org.rectiflow.evaluation.ImageMetrics.");
    return new Rendering(
        List.of(),
        List.of(
            table,
            study
                .cells("preparations")
                .table("table-03-miniature", "Autoencoders trained here for minutes")),
        notes);
  }

  private static String error(double psnr) {
    return Grids.fixed(255 * Math.pow(10, -psnr / 20), 2);
  }
}
