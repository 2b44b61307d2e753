/** Training of the autoencoder. */
package org.rectiflow.trainer.autoencoder;
