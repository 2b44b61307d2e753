/**
 * The shapes world: coloured shapes on a near-white ground with captions in GenEval's six
 * categories (Ghosh et al. 2023), and rules that read a picture and say what is in it, so that
 * GenEval's score exists without a detector.
 */
package org.rectiflow.datasets.shapes;
