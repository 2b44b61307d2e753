package org.rectiflow.pipeline.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.rectiflow.pipeline.SamplerChoice;
import org.rectiflow.pipeline.checkpoint.SchedulerConfigFile;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Prints a schedule. */
@Command(
    name = "schedule",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = "Prints the sigmas and timesteps of a schedule as JSON.",
    footer = {
      "",
      "Examples:",
      "  rectiflow schedule --steps 28 --shift 3",
      "  rectiflow schedule --steps 20 --dynamic-shifting --size 1024x1024",
      "  rectiflow schedule --config MODEL/scheduler/scheduler_config.json"
    })
final class ScheduleCommand implements Callable<Integer> {
  private static final int DEFAULT_STEPS = 28;

  @Spec private CommandSpec spec;
  @Mixin private SchedulerOptions options;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A scheduler_config.json to start from; default: SD3's, a static shift of 3.")
  private Path config;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description =
          "Size of the picture in pixels, for --dynamic-shifting without --mu; default: 1024x1024.")
  private PictureSize size;

  @Override
  public Integer call() {
    options.check();
    FlowMatchConfig base =
        config == null
            ? FlowMatchConfig.builder().shift(3).build()
            : SchedulerConfigFile.read(config);
    FlowMatchConfig chosen = UsageException.checked(() -> options.config(base));
    SamplerChoice sampler = options.scheduler.orElse(SamplerChoice.EULER);
    options.check(chosen, sampler);
    if (size != null && (!chosen.useDynamicShifting() || options.mu != null)) {
      throw new UsageException("--size goes with --dynamic-shifting without --mu only");
    }
    Schedule schedule = UsageException.checked(() -> schedule(chosen, sampler));
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("scheduler", sampler.toString());
    out.put("steps", schedule.steps());
    out.put("model_calls", schedule.modelCalls());
    if (chosen.useDynamicShifting()) {
      out.put("mu", mu(chosen));
    } else {
      out.put("shift", chosen.shift());
    }
    out.put("sigmas", schedule.sigmas());
    out.put("timesteps", schedule.timesteps());
    spec.commandLine().getOut().println(Json.pretty(out));
    return 0;
  }

  private Schedule schedule(FlowMatchConfig chosen, SamplerChoice sampler) {
    ScheduleRequest request = options.request(DEFAULT_STEPS);
    return sampler
        .create(chosen)
        .schedule(chosen.useDynamicShifting() ? request.withMu(mu(chosen)) : request);
  }

  private double mu(FlowMatchConfig chosen) {
    if (options.mu != null) {
      return options.mu;
    }
    PictureSize pixels = size == null ? new PictureSize(1024, 1024) : size;
    return chosen.mu(pixels.width() / 16 * (pixels.height() / 16));
  }
}
