/** Steps of whole models: time, memory, and where both go. */
package org.rectiflow.benchmarks.model;
