package org.rectiflow.trainer;

import org.rectiflow.trainer.config.Settings;

/**
 * The learning rate of each step: a linear rise, as in the paper's Appendix B.3, then constant, and
 * if wanted a linear fall to 0 at the end of the run.
 *
 * @param top the constant
 * @param warmup steps of the rise
 * @param decay steps of the fall
 * @param steps of the run
 */
record LearningRate(double top, long warmup, long decay, long steps) {

  static LearningRate of(Settings settings) {
    return new LearningRate(
        settings.get(LoopKeys.LEARNING_RATE),
        settings.get(LoopKeys.WARMUP),
        settings.get(LoopKeys.DECAY_STEPS),
        settings.get(LoopKeys.STEPS));
  }

  /**
   * @param step from 1 on; step {@code warmup} is the first at the top, the last step of a fall is
   *     the last above 0
   */
  double at(long step) {
    double rise = step < warmup ? (double) step / warmup : 1;
    long left = steps - step + 1;
    double fall = left <= decay ? (double) left / (decay + 1) : 1;
    return top * Math.min(rise, fall);
  }
}
