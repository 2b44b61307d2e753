/**
 * Training: the loop, its checkpoints and its log know only a {@link org.rectiflow.trainer.Task};
 * what is trained is one. A run is a pure function of its file: every random number follows from
 * the seed and the step, so that a run that was killed and goes on ends with the same bytes.
 */
package org.rectiflow.trainer;
