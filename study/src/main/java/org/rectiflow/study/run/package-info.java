/** Doing a study's runs, and what comes of them. */
package org.rectiflow.study.run;
