/**
 * Latents and text embeddings computed once and kept on the disk, by what they were computed from.
 */
package org.rectiflow.trainer.cache;
