package org.rectiflow.engine;

/** Element types of values in a graph. Weights have more: see {@link Weight}. */
public enum ElementType {
  F32,
  I32
}
