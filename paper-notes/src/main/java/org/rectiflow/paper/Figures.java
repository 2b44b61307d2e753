package org.rectiflow.paper;

import static org.rectiflow.paper.Catalogue.drawn;
import static org.rectiflow.paper.Catalogue.missing;

import java.util.List;
import org.rectiflow.paper.PaperItem.Coverage;
import org.rectiflow.paper.PaperItem.Kind;
import org.rectiflow.paper.items.Figure10;
import org.rectiflow.paper.items.Figure11;
import org.rectiflow.paper.items.Figure16;
import org.rectiflow.paper.items.Figure17;
import org.rectiflow.paper.items.Figure2;
import org.rectiflow.paper.items.Figure3;
import org.rectiflow.paper.items.Figure4;
import org.rectiflow.paper.items.Figure5;
import org.rectiflow.paper.items.Figure6;
import org.rectiflow.paper.items.Figure8;

/** The 17 figures. */
final class Figures {

  private Figures() {}

  static List<PaperItem> items() {
    return List.of(
        missing(
            1,
            "Samples of the 8B model.",
            "The released SD3.5-large draws pictures of its kind: rectiflow generate --model DIR.",
            "The paper's own 8B checkpoint was not released."),
        drawn(
            Kind.FIGURE,
            2,
            "The architecture: (a) all components, (b) one MM-DiT block.",
            Coverage.WHOLE,
            "Both diagrams, drawn by code.",
            "",
            "",
            Figure2::render),
        drawn(
            Kind.FIGURE,
            3,
            "FID over the number of sampling steps for the families of formulations.",
            Coverage.PART,
            "An exact stand-in: the sampling error over the number of steps on data whose optimal"
                + " velocity is known, in the paper's colours, with a caution; and sixteen formulations"
                + " trained in miniature.",
            "The paper's FIDs need the 61 trained formulations (Section 5.1).",
            "The values of the paper's curves exist only inside its bitmap.",
            Figure3::render),
        drawn(
            Kind.FIGURE,
            4,
            "Validation loss, CLIP score and FID of DiT, CrossDiT, UViT and MM-DiT during training.",
            Coverage.PART,
            "The five backbones trained in miniature: validation loss, and scores at the end.",
            "Each backbone on the paper's data: study/studies/backbones.toml with larger budgets.",
            "The sizes of the paper's models are not stated, its values only in the bitmap.",
            Figure4::render),
        drawn(
            Kind.FIGURE,
            5,
            "Largest attention logit and attention entropy with and without QK-normalisation.",
            Coverage.PART,
            "Two small models trained with a large learning rate, with and without it.",
            "Fine-tuning a model at high resolution; SD3-medium has no QK-normalisation and SD3.5"
                + " has, so both can be probed once their weights are there.",
            "The values of the paper's curves exist only inside its bitmap.",
            Figure5::render),
        drawn(
            Kind.FIGURE,
            6,
            "The resolution-dependent shift of timesteps: its curve, the preference of human raters"
                + " for a shift, and samples with and without it.",
            Coverage.PART,
            "The curve of equation 23 for five ratios, and what it does to the log-SNR.",
            "The samples need a model trained at 512 x 512 with each shift.",
            "The preference ratings need the paper's raters.",
            Figure6::render),
        missing(
            7,
            "Human preference against other models in three categories.",
            "",
            "Needs human raters and the other models' pictures; the percentages exist only inside the"
                + " bitmap."),
        drawn(
            Kind.FIGURE,
            8,
            "Scaling: validation loss over steps and compute, and against benchmark scores and human"
                + " preference, for pictures and videos.",
            Coverage.PART,
            "The exact sizes of the models on the curves and the compute that they imply; loss curves"
                + " of three small models trained here.",
            "The loss curves need training runs.",
            "The preference and T2I-CompBench panels need raters and the trained models; no number of"
                + " them is printed.",
            Figure8::render),
        missing(
            9,
            "Pictures with and without the T5 encoder.",
            "SD3.5-large or SD3-medium: rectiflow generate --model DIR, with and without T5.",
            ""),
        drawn(
            Kind.FIGURE,
            10,
            "FID over model depth for autoencoders of 4, 8 and 16 channels.",
            Coverage.PART,
            "Three autoencoders and models of three depths on each of them, trained here for minutes.",
            "The paper's depths: study/studies/channels.toml under a larger budget.",
            "The values of the paper's curves exist only inside its bitmap.",
            Figure10::render),
        drawn(
            Kind.FIGURE,
            11,
            "The mode and logit-normal densities of training timesteps.",
            Coverage.WHOLE,
            "Both families and CosMap, exact.",
            "",
            "The parameters of the paper's curves are not known; those of its study are shown.",
            Figure11::render),
        missing(
            12,
            "The same prompts at four training steps and three depths.",
            "Training runs of three depths.",
            "The paper's intermediate checkpoints were not released."),
        missing(
            13,
            "Pictures before and after preference optimisation (DPO).",
            "Fine-tuning with Diffusion-DPO on preference data.",
            "The paper's DPO checkpoints were not released."),
        missing(
            14,
            "Human preference between base and DPO models.",
            "",
            "Needs human raters and the paper's DPO checkpoints."),
        missing(
            15,
            "Text edited in pictures by an instruction-tuned 2B model.",
            "Fine-tuning with channel-wise concatenated inputs on editing data.",
            "The paper's editing model was not released."),
        drawn(
            Kind.FIGURE,
            16,
            "How much of the training data deduplication removes at which SSCD threshold.",
            Coverage.PART,
            "Algorithm 1 on planted duplicates of known similarity, for three numbers of clusters.",
            "",
            "The training data is not public.",
            Figure16::render),
        drawn(
            Kind.FIGURE,
            17,
            "The number of memorised pictures over the clique size, before and after deduplication.",
            Coverage.PART,
            "Algorithm 2 on the generations of exact models that copy their training pictures.",
            "Training two models on data with and without duplicates.",
            "The paper's data, prompts and models are not public.",
            Figure17::render));
  }
}
