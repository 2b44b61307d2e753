package org.rectiflow.pipeline.cli;

import java.util.concurrent.Callable;

/**
 * A subcommand of {@code rectiflow} from another module, found through {@link
 * java.util.ServiceLoader}. Implementations carry picocli's {@code @Command}.
 */
public interface Subcommand extends Callable<Integer> {}
