/** The backbones that the paper compares MM-DiT with: Section 5.2.3 and Figure 4. */
package org.rectiflow.backbones;
