/** The runs of a study as tasks of Apache Spark. */
package org.rectiflow.spark;
