/** Captioned pictures to train on: what a data set is, and the ones Rectiflow can read or draw. */
package org.rectiflow.datasets;
