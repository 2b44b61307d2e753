/** The backbones of Figure 4 for the trainer. */
package org.rectiflow.study.backbone;
