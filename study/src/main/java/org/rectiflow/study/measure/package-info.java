/** Measuring finished runs: sampling, scores and distances. */
package org.rectiflow.study.measure;
