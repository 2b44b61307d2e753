package org.rectiflow.trainer;

import java.util.List;

/**
 * What the paper's Figure 5 plots, for each attention of a model in order.
 *
 * @param maxLogit the largest logit: scaled product of a query and a key
 * @param entropy mean over queries and heads of the entropy of the attention's weights, in nats
 */
public record AttentionStatistics(List<Double> maxLogit, List<Double> entropy) {}
