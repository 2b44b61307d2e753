/** The transformer of SD3, SD3.5 and MMDiT-X (the paper's Figure 2). */
package org.rectiflow.mmdit;
