/** Models as they are stored: every layout behind one Checkpoint. */
package org.rectiflow.pipeline.checkpoint;
