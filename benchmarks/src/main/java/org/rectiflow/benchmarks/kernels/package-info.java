/** Single kernels at the sizes of Stable Diffusion 3, run as users run them: a graph of one op. */
package org.rectiflow.benchmarks.kernels;
