/** Measuring on machines that are never quiet: what the machine can do, rounds, medians. */
package org.rectiflow.benchmarks.measure;
