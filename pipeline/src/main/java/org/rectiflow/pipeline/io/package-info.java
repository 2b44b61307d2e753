/** Files: JSON, tensors, and writing that leaves nothing half done. */
package org.rectiflow.pipeline.io;
