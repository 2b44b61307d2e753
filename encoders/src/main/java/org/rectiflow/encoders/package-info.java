/**
 * The text encoders of SD3 and the prompt embedding made of them: CLIP-L, CLIP-G and T5 recorded
 * into the engine's {@link org.rectiflow.engine.Graph}, and their outputs put together as the
 * transformer expects them (paper, Appendix B.2).
 */
package org.rectiflow.encoders;
