/** What runs are trained on: data sets by name, their order, and their encodings. */
package org.rectiflow.trainer.data;
