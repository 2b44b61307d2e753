/** Training of an image tower and of text encoders against it. */
package org.rectiflow.trainer.clip;
