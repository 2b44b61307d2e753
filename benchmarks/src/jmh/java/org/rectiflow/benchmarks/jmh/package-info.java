/** JMH benchmarks of the kernels; built by the Maven profile jmh. */
package org.rectiflow.benchmarks.jmh;
