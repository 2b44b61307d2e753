package org.rectiflow.paper.items;

import java.awt.Color;
import java.util.List;
import org.rectiflow.paper.draw.Diagram;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** Figure 2: the architecture, as an overview and as one MM-DiT block (Section 4). */
public final class Figure2 {

  private static final Color TRAINED = new Color(0xe3e6fb);
  private static final Color FUNCTION = new Color(0xe2f4e2);
  private static final Color OPERATION = new Color(0xfde3e3);
  private static final Color TENSOR = new Color(0xe9a3c9);
  private static final Color INPUT = new Color(0xf6c3d4);
  private static final Color CLIP_G = new Color(0xcdeb9a);
  private static final Color CLIP_L = new Color(0xa3d1a3);
  private static final Color T5 = new Color(0xe6f0b5);
  private static final Color PADDING = new Color(0xe6e6e6);
  private static final Color BACK = new Color(0xf3f4fd);
  private static final double R = 15;

  private Figure2() {}

  /** Draws both parts. */
  public static Rendering render() {
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-02a-overview",
                "Overview: caption, three text encoders, pooled and sequence conditioning, timestep,"
                    + " noised latent, d MM-DiT blocks, output",
                overview()),
            new NamedPicture(
                "figure-02b-mmdit-block",
                "One MM-DiT block: a text and an image stream with weights of their own, joined in"
                    + " one attention",
                block())),
        List.of(),
        List.of(
            "The paper writes the modulation as α·x + β; the released code computes (1 + α)·x + β."
                + " The text stream of the last block ends after its keys and values, and the"
                + " released SD3-medium has no RMS-Norm on Q and K; SD3.5 has."));
  }

  private static Diagram overview() {
    Diagram d = new Diagram(860, 1010);
    d.heading(430, 24, "(a) Overview of all components");

    d.box(390, 62, 110, 30, INPUT, "Caption");
    d.box(230, 130, 110, 30, CLIP_G, "CLIP-G/14");
    d.box(390, 130, 110, 30, CLIP_L, "CLIP-L/14");
    d.box(550, 130, 110, 30, T5, "T5 XXL");
    d.arrow(390, 77, 390, 115).arrow(360, 77, 230, 115).arrow(420, 77, 550, 115);

    // Sequence conditioning: 77 CLIP tokens, padded to 4096 channels, then 77 T5 tokens.
    d.block(330, 220, 440, 250, CLIP_L, "768");
    d.block(330, 250, 440, 295, CLIP_G, "1280");
    d.block(330, 295, 440, 350, PADDING, "zeros");
    d.block(440, 220, 550, 350, T5, "4096");
    d.text(605, 285, 12, "77 + 77 tokens\nof 4096\nchannels");
    d.arrow(390, 145, 390, 220);
    d.arrow(275, 145, 310, 160, 310, 272, 330, 272);
    d.arrow(550, 145, 520, 165, 495, 219);

    // Pooled conditioning.
    d.block(150, 220, 172, 265, CLIP_L, "");
    d.block(150, 265, 172, 350, CLIP_G, "");
    d.turnedText(136, 285, 12, "Pooled (768 + 1280)");
    d.arrow(212, 145, 200, 165, 200, 308, 172, 308);
    d.line(350, 145, 350, 178).line(350, 178, 161, 178).arrow(161, 178, 161, 220);

    d.box(440, 400, 110, 30, TRAINED, "Linear");
    d.circle(440, 452, R, TENSOR, "c");
    d.arrow(440, 350, 440, 385).arrow(440, 415, 440, 437);

    d.box(161, 400, 110, 30, TRAINED, "MLP");
    d.circle(161, 452, R, OPERATION, "+");
    d.arrow(161, 350, 161, 385).arrow(161, 415, 161, 437);
    d.box(161, 505, 110, 30, TRAINED, "MLP");
    d.box(161, 543, 150, 30, FUNCTION, "Sinusoidal encoding");
    d.box(161, 594, 110, 30, INPUT, "Timestep");
    d.arrow(161, 579, 161, 558).arrow(161, 490, 161, 467);
    d.circle(232, 452, R, TENSOR, "y");
    d.arrow(176, 452, 217, 452);

    d.box(730, 220, 130, 30, INPUT, "Noised latent");
    d.box(730, 275, 130, 30, FUNCTION, "Patching 2 × 2");
    d.box(730, 313, 130, 30, TRAINED, "Linear");
    d.circle(730, 366, R, OPERATION, "+");
    d.box(640, 366, 96, 40, TRAINED, "Positional\nembedding");
    d.circle(730, 452, R, TENSOR, "x");
    d.arrow(730, 235, 730, 260).arrow(730, 328, 730, 351).arrow(688, 366, 715, 366);
    d.arrow(730, 381, 730, 437);

    d.frame(300, 540, 740, 790, BACK);
    d.box(520, 580, 220, 34, TRAINED, "MM-DiT block 1");
    d.box(520, 640, 220, 34, TRAINED, "MM-DiT block 2");
    d.text(520, 692, 18, "⋮");
    d.box(520, 745, 220, 34, TRAINED, "MM-DiT block d");
    d.arrow(440, 467, 440, 563).arrow(440, 597, 440, 623).line(440, 657, 440, 675);
    d.arrow(440, 705, 440, 728);
    d.line(730, 467, 730, 515).line(730, 515, 600, 515).arrow(600, 515, 600, 563);
    d.arrow(600, 597, 600, 623).line(600, 657, 600, 675).arrow(600, 705, 600, 728);

    d.box(600, 832, 120, 30, TRAINED, "Modulation");
    d.box(600, 870, 120, 30, TRAINED, "Linear");
    d.box(600, 908, 120, 30, FUNCTION, "Unpatching");
    d.box(600, 965, 120, 30, INPUT, "Output");
    d.arrow(600, 762, 600, 817).arrow(600, 923, 600, 950);

    d.line(247, 452, 270, 452).line(270, 452, 270, 832);
    d.arrow(270, 580, 410, 580).arrow(270, 640, 410, 640).arrow(270, 745, 410, 745);
    d.arrow(270, 832, 540, 832);
    return d;
  }

  private static Diagram block() {
    Diagram d = new Diagram(860, 1010);
    d.heading(430, 24, "(b) One MM-DiT block");
    double c = 290;
    double x = 570;
    d.circle(70, 70, R, TENSOR, "y");
    stream(d, c, 70, -1, "c");
    stream(d, x, 790, 1, "x");
    d.arrow(70, 45, 70, 55);
    d.line(85, 70, 790, 70);
    attention(d, c, x);
    d.text(430, 986, 12, "⊙ joins the two sequences, ∗ multiplies element by element");
    return d;
  }

  /** One stream around the line x = centre; side is -1 if its modulation stands left of it. */
  private static void stream(Diagram d, double centre, double y, int side, String name) {
    double w = 132;
    double m = centre + side * 165;
    double residual = centre + side * 105;
    double near = centre + side * w / 2;

    d.circle(centre, 118, R, TENSOR, name);
    d.stream(centre, 52, centre, 103);
    d.box(centre, 165, w, 28, FUNCTION, "LayerNorm");
    d.box(centre, 200, w, 28, FUNCTION, "Mod: α·• + β");
    d.box(centre, 235, w, 28, TRAINED, "Linear");
    d.arrow(centre, 133, centre, 151);

    d.box(centre, 545, w, 28, TRAINED, "Linear");
    d.circle(centre, 589, R, OPERATION, "∗");
    d.circle(centre, 641, R, OPERATION, "+");
    d.box(centre, 695, w, 28, FUNCTION, "LayerNorm");
    d.box(centre, 730, w, 28, FUNCTION, "Mod: δ·• + ε");
    d.box(centre, 765, w, 28, TRAINED, "MLP");
    d.circle(centre, 809, R, OPERATION, "∗");
    d.circle(centre, 861, R, OPERATION, "+");
    d.arrow(centre, 559, centre, 574).arrow(centre, 604, centre, 626);
    d.arrow(centre, 656, centre, 681).arrow(centre, 779, centre, 794);
    d.arrow(centre, 824, centre, 846);

    // Modulation: y, SiLU, Linear, split into six.
    d.box(y, 118, 70, 28, FUNCTION, "SiLU");
    d.box(y, 155, 70, 28, TRAINED, "Linear");
    d.arrow(y, side < 0 ? 85 : 70, y, 104).line(y, 132, y, 141);
    d.line(y, 169, y, 809);
    String[] letters = {"α", "β", "γ", "δ", "ε", "ζ"};
    double[] heights = {190, 222, 589, 720, 752, 809};
    double[] targets = {195, 206, 589, 725, 736, 809};
    for (int i = 0; i < 6; i++) {
      d.circle(m, heights[i], 13, TENSOR, letters[i]);
      d.arrow(y, heights[i], m - side * -13, heights[i]);
      double end = i == 2 || i == 5 ? centre + side * R : near;
      d.arrow(m - side * 13, heights[i], end, targets[i]);
    }

    // Residual stream, over the modulation arrows.
    d.stream(centre + side * R, 118, residual, 118, residual, 641, centre + side * R, 641);
    d.stream(residual, 641, residual, 861, centre + side * R, 861);
    d.stream(centre, 876, centre, 950);
  }

  private static void attention(Diagram d, double c, double x) {
    d.box(430, 465, 400, 60, FUNCTION, "\nAttention");
    double[] joinX = {360, 430, 500};
    double[] joinY = {400, 370, 340};
    String[] names = {"Q", "K", "V"};
    double[] offset = {-44, 0, 44};
    for (int i = 0; i < 3; i++) {
      d.circle(joinX[i], joinY[i], R, OPERATION, "⊙");
      d.text(joinX[i], 450, 15, names[i]);
      d.arrow(joinX[i], joinY[i] + R, joinX[i], 435);
      if (i < 2) {
        d.dashedBox(c + offset[i], 278, 40, 42, TRAINED, "Opt.\nRMS-\nNorm");
        d.dashedBox(x + offset[i], 278, 40, 42, TRAINED, "Opt.\nRMS-\nNorm");
      }
      d.crossing(c + offset[i], 249, c + offset[i], joinY[i], joinX[i] - R, joinY[i]);
      d.crossing(x + offset[i], 249, x + offset[i], joinY[i], joinX[i] + R, joinY[i]);
    }
    d.line(430, 495, 430, 512).line(c, 512, x, 512);
    d.arrow(c, 512, c, 531).arrow(x, 512, x, 531);
  }
}
