/** The op graph: models record ops into a Graph, a Backend runs it. */
package org.rectiflow.engine;
