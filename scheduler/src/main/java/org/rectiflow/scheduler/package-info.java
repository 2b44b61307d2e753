/**
 * Inference schedulers on one interface ({@link org.rectiflow.scheduler.Scheduler}, {@link
 * org.rectiflow.scheduler.Schedule}, {@link org.rectiflow.scheduler.Stepper}) and PyTorch's random
 * numbers. Samples, velocities and noise are flat float arrays in row-major order; sigma is the
 * time of rectified flow, 0 at data and 1 at noise.
 */
package org.rectiflow.scheduler;
