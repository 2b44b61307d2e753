package org.rectiflow.tornado;

import org.rectiflow.tornado.kernels.Attention;
import org.rectiflow.tornado.kernels.Convolution;
import org.rectiflow.tornado.kernels.Linear;
import org.rectiflow.tornado.kernels.Norms;

/**
 * The kernels, and the size of the groups their lanes come in. Global sizes are always whole
 * groups: TornadoVM computes nonsense without a word for any other.
 */
enum Kernel {
  CREATE,
  CREATE_WEIGHTS,
  LOAD,
  LOAD_WEIGHTS,
  STORE,
  MULTIPLY_ADDS,
  PLAIN_COPY,
  ACTIVATE,
  AFFINE,
  COMBINE,
  CLAMP,
  SUM,
  MODULATE,
  GATED_ADD,
  COPY,
  UPSAMPLE,
  GATHER,
  TIMESTEP,
  LAYER_NORM(Norms.ROW_LANES, 1),
  RMS_NORM(Norms.ROW_LANES, 1),
  RMS_NORM_SHORT,
  GROUP_NORM(Norms.GROUP_LANES, 1),
  LINEAR_TILED(Linear.LANES, Linear.LANES),
  LINEAR_BLOCKED(16, 4),
  LINEAR_FEW(Linear.STRIDERS, 1),
  STAGE_INPUT,
  STAGE_WEIGHT,
  /** A library's matrix product; leaves no ticket. */
  LIBRARY_PRODUCT,
  STAGED_RESULT,
  CONVOLUTION(Convolution.LANES, 1),
  ATTENTION(Attention.LANES, Attention.LANES);

  private static final int ELEMENTS = 64;

  private final int localX;
  private final int localY;

  Kernel() {
    this(ELEMENTS, 1);
  }

  Kernel(int localX, int localY) {
    this.localX = localX;
    this.localY = localY;
  }

  int localX() {
    return localX;
  }

  int localY() {
    return localY;
  }
}
