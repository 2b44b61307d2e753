/** The definition of every op. */
package org.rectiflow.engine.reference;
