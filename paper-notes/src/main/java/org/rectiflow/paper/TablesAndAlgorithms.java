package org.rectiflow.paper;

import static org.rectiflow.paper.Catalogue.drawn;

import java.util.List;
import org.rectiflow.paper.PaperItem.Coverage;
import org.rectiflow.paper.PaperItem.Kind;
import org.rectiflow.paper.items.Algorithms;
import org.rectiflow.paper.items.Table1;
import org.rectiflow.paper.items.Table2;
import org.rectiflow.paper.items.Table3;
import org.rectiflow.paper.items.Table4;
import org.rectiflow.paper.items.Table5;
import org.rectiflow.paper.items.Table6;
import org.rectiflow.paper.items.Table7;

/** The 7 tables and 2 algorithms. */
final class TablesAndAlgorithms {

  private TablesAndAlgorithms() {}

  static List<PaperItem> items() {
    return List.of(
        drawn(
            Kind.TABLE,
            1,
            "The mean rank of the formulations over 24 settings, and over those with 5 and 50 steps.",
            Coverage.PART,
            "A check of the printed ranks; the same procedure on sixteen formulations trained in"
                + " miniature, and on all 61 with perfect networks.",
            "The paper's ranks need the 61 formulations trained on two datasets.",
            "",
            Table1::render),
        drawn(
            Kind.TABLE,
            2,
            "CLIP score and FID of ten formulations at 25 steps.",
            Coverage.PART,
            "The paper's numbers with computed places and Pareto ranks.",
            "The scores need trained models.",
            "",
            Table2::render),
        drawn(
            Kind.TABLE,
            3,
            "Reconstruction by autoencoders of 4, 8 and 16 channels.",
            Coverage.PART,
            "The paper's numbers, the pixel error that they imply and the compression; three autoencoders"
                + " trained here for minutes.",
            "The released 16-channel autoencoder can be measured on other pictures; the other two need"
                + " training.",
            "The evaluation set is not stated.",
            Table3::render),
        drawn(
            Kind.TABLE,
            4,
            "GenEval of models trained on original and on partly synthetic captions.",
            Coverage.PART,
            "The counts of pictures behind the rates, and the overall row, exact; two models trained in"
                + " miniature.",
            "The rates need the two d = 15 models.",
            "The training captions are not public.",
            Table4::render),
        drawn(
            Kind.TABLE,
            5,
            "GenEval of this and other models.",
            Coverage.PART,
            "The overall column computed from the tasks, beside the printed one.",
            "The rates need the models and GenEval's detector.",
            "The paper's own checkpoints were not released; SD3.5-large is another model.",
            Table5::render),
        drawn(
            Kind.TABLE,
            6,
            "Loss of CLIP score at few steps, and path length, by depth.",
            Coverage.PART,
            "The straight path's length for each resolution, path lengths of exact models, and those of"
                + " three depths trained in miniature.",
            "The scores and lengths of the three depths need the trained models.",
            "",
            Table6::render),
        drawn(
            Kind.TABLE,
            7,
            "Memory, time and storage of the frozen encoders.",
            Coverage.PART,
            "Memory and storage, exact; the step increase from the printed times.",
            "",
            "The times are those of the paper's hardware.",
            Table7::render),
        drawn(
            Kind.ALGORITHM,
            1,
            "Finding duplicates in a cluster.",
            Coverage.WHOLE,
            "A case to follow by hand.",
            "",
            "",
            Algorithms::duplicates),
        drawn(
            Kind.ALGORITHM,
            2,
            "Detecting memorised pictures among generations.",
            Coverage.WHOLE,
            "A case to follow by hand.",
            "",
            "",
            Algorithms::memorization));
  }
}
