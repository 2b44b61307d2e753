/** 8-bit pictures and PNG files with text. */
package org.rectiflow.pipeline.picture;
