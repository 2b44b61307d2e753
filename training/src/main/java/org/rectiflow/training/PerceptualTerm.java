package org.rectiflow.training;

import java.util.Map;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Value;

/**
 * A distance of pictures in the features of a trained network that stays as it is: after each layer
 * of a CLIP image model every token's channels are scaled to unit length; the squares of their
 * differences are summed over channels and averaged over tokens, pictures and layers. This is LPIPS
 * (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018,
 * equation 1) without learned weights for the channels, and with another network, as none of the
 * published ones can be trained here.
 *
 * @param network the image model; its picture size has to be the autoencoder's
 * @param weight the distance's factor in the loss
 */
public record PerceptualTerm(ClipVisionModel network, float weight) {

  /** The distance's mean over the batch, a scalar. */
  Value record(Graph g, Value pictures, Value originals) {
    int size = network.config().imageSize();
    int height = originals.shape().dim(2);
    int width = originals.shape().dim(3);
    if (height != size || width != size) {
      throw new IllegalArgumentException(
          "the perceptual term's network sees pictures of %dx%d, the autoencoder is trained with %dx%d; train both with one size"
              .formatted(size, size, height, width));
    }
    Graph features = network.graph(originals.shape().dim(0));
    Map<String, Value> found = g.include(features, Map.of("pixels", pictures), g::parameter);
    Map<String, Value> wanted = g.include(features, Map.of("pixels", originals), g::parameter);
    int layers = network.config().layers();
    Value sum = null;
    for (int i = 0; i < layers; i++) {
      String name = ClipVisionModel.hidden(i);
      Value difference =
          g.subtract(UnitRows.of(g, found.get(name)), UnitRows.of(g, wanted.get(name)));
      Value distance = g.mean(g.sum(g.mul(difference, difference), 2));
      sum = sum == null ? distance : g.add(sum, distance);
    }
    return g.affine(sum, 1f / layers, 0);
  }
}
