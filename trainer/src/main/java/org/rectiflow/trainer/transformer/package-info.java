/** Training a text-to-image transformer, with any formulation and backbone. */
package org.rectiflow.trainer.transformer;
