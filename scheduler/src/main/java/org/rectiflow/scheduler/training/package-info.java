/**
 * The training functions of diffusers, number for number, beside the paper's own in the other
 * packages.
 */
package org.rectiflow.scheduler.training;
