package org.rectiflow.pipeline.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ServiceLoader;
import org.rectiflow.pipeline.convert.WeightTypes;
import org.rectiflow.safetensors.DType;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command line's entry. */
@Command(
    name = "rectiflow",
    mixinStandardHelpOptions = true,
    version = "Rectiflow 0.1.0",
    sortOptions = false,
    description = "Stable Diffusion 3 for the JVM, rebuilt from the paper.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:done",
      "1:failed: a file is missing, damaged or cannot be written, memory or disk do not suffice, a computation went wrong, or what was to be checked does not hold",
      "2:a mistake in the command line: an option that does not exist, a value that cannot be, options that contradict each other",
      "130:stopped by Ctrl-C"
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow generate \"four blue circles\"     the bundled model, in seconds",
      "  rectiflow generate \"a cat\" --model DIR     a diffusers folder of SD3 or SD3.5",
      "  rectiflow inspect DIR                      what a model holds",
      "  rectiflow schedule --steps 28 --shift 3    sigmas and timesteps as JSON",
      "",
      "`rectiflow COMMAND --help` explains a command. In a checkout it is ./run.sh."
    },
    subcommands = {
      GenerateCommand.class,
      InspectCommand.class,
      ConvertCommand.class,
      MakeRandomCommand.class,
      ScheduleCommand.class,
      VerifyCommand.class,
      DevicesCommand.class,
      ProfileCommand.class,
      HelpCommand.class
    })
public final class Rectiflow implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** The command line with the subcommands of all modules on the class path. */
  public static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Rectiflow());
    for (Subcommand subcommand : ServiceLoader.load(Subcommand.class)) {
      commandLine.addSubcommand(subcommand);
    }
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.registerConverter(PictureSize.class, new PictureSize.Converter());
    commandLine.registerConverter(DType.class, Rectiflow::weightType);
    commandLine.setOverwrittenOptionsAllowed(true);
    commandLine.setUsageHelpAutoWidth(true);
    commandLine.setParameterExceptionHandler(Failures::wrongUsage);
    commandLine.setExecutionExceptionHandler(Failures::failure);
    commandLine.setExecutionStrategy(Rectiflow::run);
    return commandLine;
  }

  private static DType weightType(String name) {
    try {
      return WeightTypes.parse(name);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Runs what was parsed; errors of the machine become messages as exceptions do. */
  private static int run(ParseResult parsed) {
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (OutOfMemoryError | InternalError fault) {
      return Failures.fault(fault, parsed.commandSpec().commandLine());
    }
  }

  /** Runs one command and exits: see exitCodeList. */
  public static void main(String[] args) {
    System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
    System.exit(commandLine().execute(args));
  }
}
