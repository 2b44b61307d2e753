/** Charts in the paper's colours, several on a page, and the small drawing code for diagrams. */
package org.rectiflow.paper.draw;
