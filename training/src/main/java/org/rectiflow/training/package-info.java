/** Losses of the models with their derivatives, and the optimizer. */
package org.rectiflow.training;
