package org.rectiflow.scheduler;

import java.util.List;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.ResolutionShift;

/** Where a {@link PathScheduler} places its times between noise and data. */
public sealed interface TimeGrid {

  /**
   * The times of a run, decreasing, the last being 0.
   *
   * @param path the path that is sampled
   * @param request number of steps, or own times in its sigmas
   */
  double[] times(NoisePath path, ScheduleRequest request);

  /**
   * Equal steps from a start to 0, then shifted once; with shift 3 on rectified flow the schedule
   * of the paper. Own sigmas are times, and shifted too. The shift lowers the log-SNR by 2
   * ln(alpha) on every path.
   *
   * @param start the first time, before the shift; in (0, 1]
   * @param shift the resolution-dependent shift
   */
  record Uniform(double start, ResolutionShift shift) implements TimeGrid {

    /**
     * Checks the start.
     *
     * @throws IllegalArgumentException if it is not in (0, 1]
     */
    public Uniform {
      if (!(start > 0 && start <= 1)) {
        throw new IllegalArgumentException(
            "Sampling must start at a time in (0, 1], found " + start + ".");
      }
    }

    /** From the path's own start, unshifted. */
    public static Uniform of(NoisePath path) {
      return new Uniform(path.startTime(), new ResolutionShift(1));
    }

    @Override
    public double[] times(NoisePath path, ScheduleRequest request) {
      int steps = request.length();
      double[] out =
          request.sigmas().isPresent()
              ? ownTimes(request.sigmas().get())
              : SigmaTransforms.linspace(start, 0, steps + 1);
      for (int i = 0; i < steps; i++) {
        out[i] = shift.apply(path, out[i]);
      }
      return out;
    }
  }

  /**
   * The sigmas of diffusers' {@link FlowMatchEulerDiscrete} as times, with all its options.
   *
   * @param scheduler where the sigmas come from; its sigmas must not be inverted
   */
  record FlowMatch(FlowMatchEulerDiscrete scheduler) implements TimeGrid {

    /**
     * Checks the configuration.
     *
     * @throws IllegalArgumentException if the sigmas are inverted
     */
    public FlowMatch {
      if (scheduler.config().invertSigmas()) {
        throw new IllegalArgumentException(
            "invert_sigmas runs from data to noise, which only the Euler scheduler does; turn it off.");
      }
    }

    @Override
    public double[] times(NoisePath path, ScheduleRequest request) {
      float[] sigmas = scheduler.schedule(request).sigmas();
      double[] out = new double[sigmas.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = sigmas[i];
      }
      return out;
    }
  }

  /**
   * The grid of the SD3 reference code (sd3-ref and sd3.5, {@code get_sigmas}) in float32: equal
   * steps between the shifted ends of a table of 1000 sigmas, shifted once more. Equal to
   * diffusers' default schedule up to rounding.
   *
   * @param shift 3.0 in sd3-ref and for SD3.5, 1.0 for SD3-medium in sd3.5
   */
  record Reference(double shift) implements TimeGrid {

    private static final int TABLE_SIZE = 1000;

    /**
     * Checks the shift.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public Reference {
      shift = new ResolutionShift(shift).alpha();
    }

    private float sigma(float timestep) {
      float t = timestep / TABLE_SIZE;
      return (float) shift * t / (1f + (float) (shift - 1) * t);
    }

    @Override
    public double[] times(NoisePath path, ScheduleRequest request) {
      if (request.sigmas().isPresent() || request.timesteps().isPresent()) {
        throw new IllegalArgumentException(
            "The reference grid takes a number of steps only, not sigmas or timesteps.");
      }
      int steps = request.length();
      float start = sigma(TABLE_SIZE) * TABLE_SIZE;
      float end = sigma(1) * TABLE_SIZE;
      float step = steps == 1 ? 0 : (end - start) / (steps - 1);
      double[] out = new double[steps + 1];
      for (int i = 0; i < steps; i++) {
        // As torch.linspace, from the nearer end.
        float timestep = 2 * i < steps ? start + step * i : end - step * (steps - 1 - i);
        out[i] = sigma(timestep);
      }
      return out;
    }
  }

  /**
   * The noise levels of Karras et al. 2022, equation 5: sigma^(1/rho) in equal steps, where sigma
   * is the ratio b / a.
   *
   * @param sigmaMin the last noise level before 0; 0.002 there
   * @param sigmaMax the first noise level; 80 there
   * @param rho the exponent; 7 there
   */
  record Karras(double sigmaMin, double sigmaMax, double rho) implements TimeGrid {

    /** How far, in log-SNR, a time may be from the noise level it stands for. */
    private static final double TOLERANCE = 1e-2;

    /**
     * Checks the noise levels.
     *
     * @throws IllegalArgumentException unless 0 < sigmaMin < sigmaMax and rho > 0
     */
    public Karras {
      if (!(sigmaMin > 0 && sigmaMin < sigmaMax && rho > 0) || Double.isInfinite(sigmaMax)) {
        throw new IllegalArgumentException(
            "Karras noise levels need 0 < sigma_min < sigma_max and rho > 0, found "
                + sigmaMin
                + ", "
                + sigmaMax
                + " and "
                + rho
                + ".");
      }
    }

    /** The values of the paper: 0.002, 80, 7. */
    public static Karras defaults() {
      return new Karras(0.002, 80, 7);
    }

    @Override
    public double[] times(NoisePath path, ScheduleRequest request) {
      if (request.sigmas().isPresent() || request.timesteps().isPresent()) {
        throw new IllegalArgumentException(
            "The Karras grid takes a number of steps only, not sigmas or timesteps.");
      }
      int steps = request.length();
      double[] ramp =
          SigmaTransforms.linspace(Math.pow(sigmaMax, 1 / rho), Math.pow(sigmaMin, 1 / rho), steps);
      double[] out = new double[steps + 1];
      for (int i = 0; i < steps; i++) {
        double lambda = -2 * rho * Math.log(ramp[i]);
        out[i] = path.timestepOf(lambda);
        if (!(Math.abs(path.logSnr(out[i]) - lambda) < TOLERANCE)) {
          throw new IllegalArgumentException(
              "The time of "
                  + path
                  + " has no digits left at the noise level "
                  + Math.exp(-0.5 * lambda)
                  + "; it reaches about "
                  + path.startScale()
                  + ", so lower sigma_max.");
        }
      }
      return out;
    }
  }

  private static double[] ownTimes(List<Double> values) {
    double[] out = new double[values.size() + 1];
    for (int i = 0; i < values.size(); i++) {
      out[i] = values.get(i);
    }
    return out;
  }
}
