/**
 * The commands {@code figure}, {@code table} and {@code paper} of the program {@code rectiflow}.
 */
package org.rectiflow.paper.cli;
