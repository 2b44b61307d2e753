/** The engine's kernels beside those of oneDNN and libtorch; built by the Maven profile peers. */
package org.rectiflow.benchmarks.peers;
