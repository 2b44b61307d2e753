package org.rectiflow.scheduler.path;

/**
 * A network's output at one time of a path, read as data, noise, velocity or any other prediction.
 * Each is a combination of z and the output, whose two factors are public so that whole tensors can
 * be converted.
 */
public final class Conversion {

  private final NoisePath path;
  private final double t;
  private final double dataOfZ;
  private final double dataOfOutput;
  private final double noiseOfZ;
  private final double noiseOfOutput;

  Conversion(NoisePath path, Prediction prediction, double t) {
    this.path = path;
    this.t = t;
    double a = path.a(t);
    double b = path.b(t);
    double p = prediction.dataFactor(path, t);
    double q = prediction.noiseFactor(path, t);
    // z = a x0 + b eps and output = p x0 + q eps.
    double determinant = a * q - b * p;
    if (determinant == 0 || !Double.isFinite(determinant)) {
      throw new IllegalArgumentException(
          "A prediction of "
              + prediction.printedName()
              + " determines nothing at t = "
              + t
              + " of "
              + path.name()
              + " (a = "
              + a
              + ", b = "
              + b
              + "); begin or end at another time.");
    }
    dataOfZ = q / determinant;
    dataOfOutput = -b / determinant;
    noiseOfZ = -p / determinant;
    noiseOfOutput = a / determinant;
  }

  /** The predicted data: (factor of z, factor of the output). */
  public Factors data() {
    return new Factors(dataOfZ, dataOfOutput);
  }

  /** The predicted noise. */
  public Factors noise() {
    return new Factors(noiseOfZ, noiseOfOutput);
  }

  /** The velocity of the path, a' x0 + b' eps. */
  public Factors velocity() {
    return to(Prediction.VELOCITY);
  }

  /** The output that a network of another prediction would give. */
  public Factors to(Prediction other) {
    double p = other.dataFactor(path, t);
    double q = other.noiseFactor(path, t);
    return new Factors(p * dataOfZ + q * noiseOfZ, p * dataOfOutput + q * noiseOfOutput);
  }

  /**
   * A combination ofZ * z + ofOutput * output.
   *
   * @param ofZ factor of the sample z
   * @param ofOutput factor of the network's output
   */
  public record Factors(double ofZ, double ofOutput) {

    /** The value for one component. */
    public double apply(double z, double output) {
      return ofZ * z + ofOutput * output;
    }
  }
}
