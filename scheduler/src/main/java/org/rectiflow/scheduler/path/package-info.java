/**
 * The noise paths z_t = a_t x0 + b_t eps of Sections 2 and 3 of "Scaling Rectified Flow
 * Transformers for High-Resolution Image Synthesis" (arXiv 2403.03206): schedules, log-SNR,
 * velocities, and what networks predict on them. Time runs from t = 0 (data) to t = 1 (noise).
 */
package org.rectiflow.scheduler.path;
