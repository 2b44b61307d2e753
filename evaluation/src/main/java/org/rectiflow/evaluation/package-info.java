/**
 * The arithmetic with which the Stable Diffusion 3 paper judges its models: ranking, distances,
 * image metrics, parameter and storage counts, duplicate and memorisation detection. Nothing here
 * needs a network or a GPU; every number can be checked by hand.
 */
package org.rectiflow.evaluation;
