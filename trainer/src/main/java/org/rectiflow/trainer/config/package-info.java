/** Run files: TOML whose every key is known, typed and documented. */
package org.rectiflow.trainer.config;
