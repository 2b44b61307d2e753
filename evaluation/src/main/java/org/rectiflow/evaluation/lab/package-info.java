/**
 * The exact laboratory: data that is a mixture of Gaussians, for which the optimal network output
 * is known in closed form. It tells apart what a noise path, a time grid and a sampler do from what
 * a trained network does.
 */
package org.rectiflow.evaluation.lab;
