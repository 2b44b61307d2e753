/** Special functions that the paths and densities share. */
package org.rectiflow.scheduler.math;
