/**
 * Vector API kernels of the {@code cpu} backend: plain methods on memory with explicit sizes and
 * strides. They know nothing of graphs.
 *
 * <p>Conventions:
 *
 * <ul>
 *   <li>Activations are float32 in native memory, 4-byte aligned, addressed by a segment, a byte
 *       offset and strides counted in elements. Weights are segments in their stored type,
 *       little-endian, of any alignment.
 *   <li>Segments must be reachable from every thread: shared, automatic or global arenas, or mapped
 *       files; not confined ones.
 *   <li>How work is cut into tasks and the order of every sum depend on sizes and the vector width
 *       only, so results are the same bits for any number of threads.
 * </ul>
 */
package org.rectiflow.engine.cpu.kernels;
