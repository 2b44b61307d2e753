/** The command {@code train}. */
package org.rectiflow.trainer.cli;
