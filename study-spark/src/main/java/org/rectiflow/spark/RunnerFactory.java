package org.rectiflow.spark;

import java.io.Serializable;
import org.rectiflow.study.run.CellRunner;

/** Makes, where a task runs, what trains and measures. */
@FunctionalInterface
public interface RunnerFactory extends Serializable {
  /** Makes it. */
  CellRunner make();
}
