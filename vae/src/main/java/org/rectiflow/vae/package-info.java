/** SD3's autoencoder and tiled decoding. */
package org.rectiflow.vae;
