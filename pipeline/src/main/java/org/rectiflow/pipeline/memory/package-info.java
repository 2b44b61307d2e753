/** Whether the memory suffices, asked before anything is loaded. */
package org.rectiflow.pipeline.memory;
