/**
 * Programs that redraw the figures and tables of the Stable Diffusion 3 paper as far as that is
 * possible without training, and the list that says for each of them what is shown and what is not.
 */
package org.rectiflow.paper;
