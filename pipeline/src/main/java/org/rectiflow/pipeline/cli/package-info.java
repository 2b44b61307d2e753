/** The command line. */
package org.rectiflow.pipeline.cli;
