/**
 * The formulations of the paper's study (Section 5.1): a path, what the network predicts, the
 * density of its timesteps and the weight of its loss, under the names of Tables 1 and 2.
 */
package org.rectiflow.scheduler.formulation;
