/**
 * Prompts to token ids, from a model folder's own files. The work is done by Hugging Face's
 * tokenizers library; here is what goes into it (the {@code tokenizer.json} that CLIP and T5
 * folders may lack) and what diffusers does around it: special tokens, truncation and padding.
 */
package org.rectiflow.encoders.tokenizer;
