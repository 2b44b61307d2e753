/**
 * The distributions from which training draws its timesteps (Section 3.1 of the paper): sampling,
 * density, distribution function and quantiles on t in [0, 1], t = 1 being noise.
 */
package org.rectiflow.scheduler.density;
