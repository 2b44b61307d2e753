package org.rectiflow.benchmarks.model;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.benchmarks.measure.FmaPeak;
import org.rectiflow.benchmarks.measure.ReadBandwidth;
import org.rectiflow.benchmarks.measure.Spread;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;

/** Measures steps of a transformer, the machine's limits between them. */
public final class ModelBench {
  private static final int PIXELS_PER_LATENT = 8;

  private final Mmdit mmdit;
  private final Backend backend;
  private final Workers workers;

  /**
   * What is measured.
   *
   * @param width of the picture in pixels
   * @param height of the picture in pixels
   * @param textTokens tokens of the prompt
   * @param guided whether a step is a batch of two, as with classifier-free guidance
   * @param steps how many are timed after a first that is not
   */
  public record Setting(int width, int height, int textTokens, boolean guided, int steps) {}

  /**
   * What came out for one size.
   *
   * @param firstStepSeconds the first step, which the JVM's compilation of the kernels slows down
   * @param stepSeconds of the others
   * @param flops operations of one step
   * @param peakGflops the FMA peak measured between the steps
   * @param fractionOfPeak each step's rate over that of the peak measured before and after it
   * @param arenaBytes planned memory of the activations
   * @param memory the most the process used while this size ran
   */
  public record Result(
      Setting setting,
      double compileSeconds,
      double firstStepSeconds,
      Spread stepSeconds,
      double flops,
      Spread peakGflops,
      Spread fractionOfPeak,
      long arenaBytes,
      Optional<MemorySampler.Memory> memory,
      Roofline roofline,
      List<Roofline.Row> rows) {}

  /** {@code workers} measure the machine's limits with as many threads as the backend has. */
  public ModelBench(Mmdit mmdit, Backend backend, Workers workers) {
    this.mmdit = mmdit;
    this.backend = backend;
    this.workers = workers;
  }

  /**
   * Measures one size.
   *
   * @param beforeFirst is run when all is ready and the first step is about to begin
   */
  public Result run(Setting setting, Runnable beforeFirst) {
    long start = System.nanoTime();
    try (MemorySampler sampler = new MemorySampler();
        Executable model = compile(setting)) {
      Map<String, Feed> feeds = feeds(setting);
      double compile = seconds(start);
      beforeFirst.run();
      start = System.nanoTime();
      model.run(feeds);
      double first = seconds(start);
      return timed(setting, model, feeds, sampler, new double[] {compile, first});
    }
  }

  /**
   * Says "ready", then runs a step for each line that comes and says the seconds it took, until the
   * lines end.
   */
  public void onRequest(Setting setting, BufferedReader requests, Consumer<String> say)
      throws IOException {
    try (Executable model = compile(setting)) {
      Map<String, Feed> feeds = feeds(setting);
      say.accept("ready");
      while (requests.readLine() != null) {
        long start = System.nanoTime();
        model.run(feeds);
        say.accept(Double.toString(seconds(start)));
      }
    }
  }

  private Executable compile(Setting s) {
    int batch = s.guided() ? 2 : 1;
    int height = s.height() / PIXELS_PER_LATENT;
    int width = s.width() / PIXELS_PER_LATENT;
    return backend.compile("mmdit", mmdit.graph(batch, height, width, s.textTokens(), false));
  }

  private Map<String, Feed> feeds(Setting s) {
    MmditConfig config = mmdit.config();
    int batch = s.guided() ? 2 : 1;
    int height = s.height() / PIXELS_PER_LATENT;
    int width = s.width() / PIXELS_PER_LATENT;
    Tensor timesteps = Tensor.zeros(Shape.of(batch));
    Arrays.fill(timesteps.data(), 500);
    return Map.of(
        "latent", random(1, batch, config.latentChannels(), height, width),
        "context", random(2, batch, s.textTokens(), config.contextWidth()),
        "pooled", random(3, batch, config.pooledWidth()),
        "timestep", Feed.of(timesteps));
  }

  private Result timed(
      Setting setting,
      Executable model,
      Map<String, Feed> feeds,
      MemorySampler sampler,
      double[] before) {
    FmaPeak peak = new FmaPeak(workers);
    Profile profile = backend.profile();
    profile.forgetRuns();
    int steps = setting.steps();
    double[] peaks = new double[steps + 1];
    double[] seconds = new double[steps];
    peak.seconds();
    peaks[0] = peak.flops() / peak.seconds();
    for (int i = 0; i < steps; i++) {
      long start = System.nanoTime();
      model.run(feeds);
      seconds[i] = seconds(start);
      peaks[i + 1] = peak.flops() / peak.seconds();
    }
    Optional<MemorySampler.Memory> memory = sampler.peak();
    double flops = profile.entries().stream().mapToDouble(e -> e.cost().flops()).sum() / steps;
    double[] fractions = new double[steps];
    for (int i = 0; i < steps; i++) {
      fractions[i] = flops / seconds[i] / ((peaks[i] + peaks[i + 1]) / 2);
    }
    double[] gflops = Arrays.stream(peaks).map(p -> p * 1e-9).toArray();
    // After the memory was looked at: this takes some itself.
    Roofline roofline = new Roofline(Spread.of(gflops).median(), bandwidth());
    return new Result(
        setting,
        before[0],
        before[1],
        Spread.of(seconds),
        flops,
        Spread.of(gflops),
        Spread.of(fractions),
        model.arenaBytes(),
        memory,
        roofline,
        roofline.rows(profile));
  }

  private double bandwidth() {
    try (ReadBandwidth bandwidth = new ReadBandwidth(workers)) {
      List<Double> rates = new ArrayList<>();
      bandwidth.seconds();
      for (int i = 0; i < 5; i++) {
        rates.add(bandwidth.bytes() / bandwidth.seconds() * 1e-9);
      }
      return Spread.of(rates.stream().mapToDouble(Double::doubleValue).toArray()).median();
    }
  }

  private static Feed random(long seed, int... dims) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return Feed.of(tensor);
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) * 1e-9;
  }
}
