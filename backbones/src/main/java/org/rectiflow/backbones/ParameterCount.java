package org.rectiflow.backbones;

import org.rectiflow.mmdit.MmditConfig;

/** Parameters of each backbone by formula; the tests compare with what the graphs ask for. */
final class ParameterCount {
  private static final int TIMESTEP_FEATURES = 256;

  private final MmditConfig c;
  private final long h;
  private final long qkNorm;

  private ParameterCount(MmditConfig c) {
    this.c = c;
    this.h = c.width();
    this.qkNorm = c.qkNorm() ? 2L * MmditConfig.HEAD_SIZE : 0;
  }

  static long of(BackboneConfig config) {
    ParameterCount count = new ParameterCount(config.sizes());
    return switch (config.backbone()) {
      case DIT -> count.sets(1);
      case MMDIT -> count.sets(2);
      case MMDIT_3 -> count.sets(3);
      case CROSS_DIT -> count.ends() + count.crossBlocks();
      case UVIT -> count.embedders() + count.crossBlocks() + count.convolutions();
    };
  }

  private long sets(int sets) {
    long text = sets - 1;
    long lastText = linear(h, 2 * h) + linear(h, 3 * h) + qkNorm;
    long dual = c.dualAttentionBlocks().size() * (linear(h, 3 * h) + attention());
    return ends() + c.depth() * sets * stream() - text * (stream() - lastText) + dual;
  }

  /** Modulation, attention and MLP of one set of weights. */
  private long stream() {
    return linear(h, 6 * h) + attention() + linear(h, 4 * h) + linear(4 * h, h);
  }

  private long attention() {
    return linear(h, 3 * h) + linear(h, h) + qkNorm;
  }

  private long crossBlocks() {
    long cross = linear(h, h) + linear(h, 2 * h) + linear(h, h) + qkNorm;
    return c.depth() * (stream() + cross);
  }

  private long embedders() {
    return linear(TIMESTEP_FEATURES, h)
        + linear(h, h)
        + linear(c.pooledWidth(), h)
        + linear(h, h)
        + linear(c.contextWidth(), h);
  }

  private long ends() {
    long patch = (long) c.latentChannels() * c.patchSize() * c.patchSize();
    return embedders() + linear(patch, h) + linear(h, 2 * h) + linear(h, patch);
  }

  private long convolutions() {
    UvitLevels levels = UvitLevels.of(c);
    long first = levels.channels(0);
    long sum = conv(c.latentChannels(), first) + 2 * first + conv(first, c.latentChannels());
    for (int l = 0; l < levels.count(); l++) {
      long n = levels.channels(l);
      long above = levels.channels(l + 1);
      sum += conv(n, above) + conv(above, n);
      sum += UvitLevels.RESNETS * (resnet(n, n) + resnet(2 * n, n));
    }
    return sum;
  }

  private long resnet(long in, long out) {
    long shortcut = in == out ? 0 : linear(in, out);
    return 2 * in + conv(in, out) + linear(h, 2 * out) + 2 * out + conv(out, out) + shortcut;
  }

  private static long conv(long in, long out) {
    return 9 * in * out + out;
  }

  private static long linear(long in, long out) {
    return in * out + out;
  }
}
