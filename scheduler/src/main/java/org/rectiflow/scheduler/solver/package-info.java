/** Solvers of the probability-flow ODE on any noise path and prediction, in double precision. */
package org.rectiflow.scheduler.solver;
