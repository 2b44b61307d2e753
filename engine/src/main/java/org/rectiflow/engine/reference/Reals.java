package org.rectiflow.engine.reference;

import org.rectiflow.engine.Shape;

/** A tensor in double precision, row-major. */
record Reals(Shape shape, double[] data) {}
