package org.rectiflow.scheduler.solver;

/**
 * A numerical method for the sampling ODE dz/dt = v(z, t) (equation 1 of the paper), run from noise
 * to data.
 */
public sealed interface Solver {

  /** The variable in which a method takes its straight steps. */
  enum Variable {
    /**
     * The path's time t: z' = z + (t' - t) v, the Euler discretization of equation 1 that the paper
     * samples with.
     */
    TIME,
    /**
     * The noise-to-data ratio b / a: d(z / a) / d(b / a) = eps, so z' = a' x0 + b' eps. Euler in it
     * is DDIM, and on {@code edm} paths the sampler of Karras et al. 2022. On rectified flow Euler
     * in both variables is the same.
     */
    NOISE_RATIO
  }

  /** The time by which DPM-Solver++(2M) measures its last two steps against each other. */
  enum Clock {
    /** -ln b, as the SD3 reference code and k-diffusion do with sigma in the place of b. */
    REFERENCE,
    /** Half the log-SNR, ln(a / b), as the paper of DPM-Solver++ (Lu et al. 2022) does. */
    HALF_LOG_SNR
  }

  /** Model calls per step. */
  int order();

  /** The name for people. */
  String name();

  /**
   * Euler's method, first order.
   *
   * @param variable what the steps are straight in
   */
  record Euler(Variable variable) implements Solver {
    @Override
    public int order() {
      return 1;
    }

    @Override
    public String name() {
      return variable == Variable.TIME ? "euler" : "ddim";
    }
  }

  /**
   * Heun's method, second order with two model calls per step; the last step is Euler's, as in
   * Karras et al. 2022.
   *
   * @param variable what the steps are straight in
   */
  record Heun(Variable variable) implements Solver {
    @Override
    public int order() {
      return 2;
    }

    @Override
    public String name() {
      return variable == Variable.TIME ? "heun" : "heun-ratio";
    }
  }

  /**
   * DPM-Solver++(2M): second order with one model call per step, from the data predicted at this
   * and the previous time; first order in the first step and in the step to b = 0, as in the SD3
   * reference code.
   *
   * @param clock how step lengths are measured
   */
  record DpmSolver2M(Clock clock) implements Solver {
    @Override
    public int order() {
      return 1;
    }

    @Override
    public String name() {
      return clock == Clock.REFERENCE ? "dpmpp_2m" : "dpmpp_2m-logsnr";
    }
  }
}
