/** The command {@code bench}. */
package org.rectiflow.benchmarks.cli;
