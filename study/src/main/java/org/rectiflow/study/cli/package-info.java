/** The command {@code ablate}. */
package org.rectiflow.study.cli;
