/** The page of a run: its curves and sample pictures in one HTML file that needs nothing else. */
package org.rectiflow.trainer.page;
