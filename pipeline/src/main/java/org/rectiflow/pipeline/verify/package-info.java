/** Comparison with tensors that diffusers computed. */
package org.rectiflow.pipeline.verify;
