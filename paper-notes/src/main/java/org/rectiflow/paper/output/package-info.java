/** What the programs write: pictures as PNG and SVG, tables as CSV, HTML and plain text. */
package org.rectiflow.paper.output;
