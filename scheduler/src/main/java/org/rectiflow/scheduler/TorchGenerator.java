package org.rectiflow.scheduler;

/**
 * The random numbers of PyTorch's CPU generator, bit for bit: {@code torch.Generator("cpu")} with
 * {@code torch.randn} and {@code torch.rand} in float32 (PyTorch 2.x on x86-64). The same seed
 * therefore starts from the same noise, and draws the same picture, as in diffusers.
 *
 * <p>The engine is the Mersenne twister mt19937. Arrays of 16 and more normals follow ATen's
 * vectorised {@code normal_fill}, see {@link BoxMuller16}; shorter ones follow the element by
 * element Box-Muller in double precision, which keeps the second normal of a pair for the next
 * call.
 *
 * <p>Holds state; not safe for use by several threads.
 */
public final class TorchGenerator {

  private static final int STATE_SIZE = 624;
  private static final int SHIFT_SIZE = 397;
  private static final int UPPER_MASK = 0x80000000;
  private static final int LOWER_MASK = 0x7fffffff;
  private static final int TWIST_MATRIX = 0x9908b0df;
  private static final int SEED_MULTIPLIER = 1812433253;

  /** 2^-24: a float holds 24 significant bits. */
  private static final float FLOAT_UNIT = 0x1p-24f;

  /** 2^-53: a double holds 53 significant bits. */
  private static final double DOUBLE_UNIT = 0x1p-53;

  private final int[] state = new int[STATE_SIZE];
  private int next;
  private boolean hasCachedNormal;
  private double cachedNormal;

  /** A generator seeded like {@code torch.Generator("cpu").manual_seed(seed)}. */
  public TorchGenerator(long seed) {
    manualSeed(seed);
  }

  /** Starts over from a seed. As in PyTorch, the low 32 bits seed the twister. */
  public TorchGenerator manualSeed(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < STATE_SIZE; i++) {
      int previous = state[i - 1];
      state[i] = SEED_MULTIPLIER * (previous ^ (previous >>> 30)) + i;
    }
    next = STATE_SIZE;
    hasCachedNormal = false;
    return this;
  }

  /** {@code torch.rand(n)}: n uniform floats in [0, 1). */
  public float[] rand(int n) {
    float[] out = new float[requireCount(n)];
    for (int i = 0; i < n; i++) {
      out[i] = nextFloat();
    }
    return out;
  }

  /**
   * {@code torch.randn(n)}: n standard normals. The shape of a contiguous tensor does not matter,
   * only its number of elements; two calls differ from one call of the summed length.
   */
  public float[] randn(int n) {
    return normal(0, 1, n);
  }

  /** {@code torch.normal(mean, std, (n,))}. */
  public float[] normal(double mean, double std, int n) {
    float[] out = new float[requireCount(n)];
    if (!(std >= 0) || Double.isInfinite(std) || !Double.isFinite(mean)) {
      throw new IllegalArgumentException(
          "A normal needs a finite mean and a finite std >= 0, found mean "
              + mean
              + " and std "
              + std
              + ".");
    }
    if (n >= BoxMuller16.BLOCK) {
      fillBlocks(out, (float) mean, (float) std);
    } else {
      for (int i = 0; i < n; i++) {
        out[i] = (float) (nextNormal() * std + mean);
      }
    }
    return out;
  }

  /** The next 32 random bits of the twister. */
  public int nextInt() {
    if (next == STATE_SIZE) {
      twist();
    }
    int y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y;
  }

  private float nextFloat() {
    return (nextInt() & 0xffffff) * FLOAT_UNIT;
  }

  private double nextDouble() {
    long high = nextInt();
    long low = nextInt() & 0xffffffffL;
    return (((high << 32) | low) & ((1L << 53) - 1)) * DOUBLE_UNIT;
  }

  private double nextNormal() {
    if (hasCachedNormal) {
      hasCachedNormal = false;
      return cachedNormal;
    }
    double u1 = nextDouble();
    double u2 = nextDouble();
    double radius = Math.sqrt(-2.0 * StrictMath.log1p(-u2));
    double theta = 2.0 * Math.PI * u1;
    cachedNormal = radius * StrictMath.sin(theta);
    hasCachedNormal = true;
    return radius * StrictMath.cos(theta);
  }

  private void fillBlocks(float[] out, float mean, float std) {
    for (int i = 0; i < out.length; i++) {
      out[i] = nextFloat();
    }
    int block = BoxMuller16.BLOCK;
    for (int at = 0; at + block <= out.length; at += block) {
      BoxMuller16.transform(out, at, mean, std);
    }
    if (out.length % block != 0) {
      // ATen draws the last sixteen anew, over what may already be normals.
      int tail = out.length - block;
      for (int i = tail; i < out.length; i++) {
        out[i] = nextFloat();
      }
      BoxMuller16.transform(out, tail, mean, std);
    }
  }

  private void twist() {
    for (int i = 0; i < STATE_SIZE; i++) {
      int y = (state[i] & UPPER_MASK) | (state[(i + 1) % STATE_SIZE] & LOWER_MASK);
      int twisted = (y >>> 1) ^ ((y & 1) == 0 ? 0 : TWIST_MATRIX);
      state[i] = state[(i + SHIFT_SIZE) % STATE_SIZE] ^ twisted;
    }
    next = 0;
  }

  private static int requireCount(int n) {
    if (n < 0) {
      throw new IllegalArgumentException(
          "The number of random values must not be negative, found " + n + ".");
    }
    return n;
  }
}
