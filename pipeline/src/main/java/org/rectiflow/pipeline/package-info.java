/** Text to image, step by step. */
package org.rectiflow.pipeline;
