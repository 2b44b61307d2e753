package org.rectiflow.benchmarks.kernels;

import java.util.Map;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.safetensors.DType;

/** One op with operands: what the engine and other programs compute side by side. */
public interface Problem {
  /** The sizes, as tables print them. */
  String name();

  /** The op with its parameters in the type given; its result is the output {@code y}. */
  Graph graph(DType weights);

  /** The op's inputs. */
  Map<String, Feed> feeds();
}
