package org.rectiflow.scheduler;

/** What sampling schedules and the training table of a scheduler have in common. */
final class TimestepTable {

  private TimestepTable() {}

  static int indexOf(float[] timesteps, float timestep) {
    int first = -1;
    for (int i = 0; i < timesteps.length; i++) {
      if (timesteps[i] == timestep) {
        if (first >= 0) {
          return i;
        }
        first = i;
      }
    }
    if (first < 0) {
      throw new IllegalArgumentException(
          "Timestep "
              + timestep
              + " is not in the schedule, which has "
              + timesteps.length
              + " timesteps from "
              + timesteps[0]
              + " to "
              + timesteps[timesteps.length - 1]
              + "; pass one of the schedule's timesteps, not its index.");
    }
    return first;
  }

  static float[] scaleNoise(float[] sigmas, float[] sample, float[] noise, int... indices) {
    requireSameLength("noise", noise, sample);
    if (indices.length == 0 || sample.length % indices.length != 0) {
      throw new IllegalArgumentException(
          "Noising needs one index per image: "
              + sample.length
              + " values cannot be split into "
              + indices.length
              + ".");
    }
    float[] out = new float[sample.length];
    int size = sample.length / indices.length;
    for (int image = 0; image < indices.length; image++) {
      float sigma = sigmas[indices[image]];
      float rest = 1f - sigma;
      for (int i = image * size; i < (image + 1) * size; i++) {
        out[i] = sigma * noise[i] + rest * sample[i];
      }
    }
    return out;
  }

  static void requireSameLength(String name, float[] values, float[] sample) {
    if (values.length != sample.length) {
      throw new IllegalArgumentException(
          "The "
              + name
              + " must have as many values as the sample, found "
              + values.length
              + " and "
              + sample.length
              + ".");
    }
  }
}
