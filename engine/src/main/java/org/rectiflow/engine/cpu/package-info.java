/** The default backend: graphs on the vector kernels. */
package org.rectiflow.engine.cpu;
