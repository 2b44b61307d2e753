package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.rectiflow.encoders.tokenizer.TokenizerException;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.SafetensorsException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into one message that says what to do, and an exit status. */
final class Failures {
  private Failures() {}

  /** A mistyped command line: what is wrong, what may have been meant, where to read on. */
  static int wrongUsage(ParameterException mistake, String[] arguments) {
    CommandLine command = mistake.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("rectiflow: " + message(mistake));
    if (mistake instanceof UnmatchedArgumentException unmatched) {
      Suggestions.of(unmatched, command)
          .ifPresent(name -> err.println("Did you mean " + name + "?"));
      if (!unmatched.getUnmatched().getFirst().startsWith("-")
          && !command.getCommandSpec().positionalParameters().isEmpty()) {
        err.println("Put what has several words in quotes.");
      }
    }
    printWhereToRead(err, command);
    return CommandLine.ExitCode.USAGE;
  }

  private static void printWhereToRead(PrintWriter err, CommandLine command) {
    err.println("Try `" + command.getCommandSpec().qualifiedName() + " --help`.");
    err.flush();
  }

  /** picocli's message, without the slips of the one about values like {@code PART=TYPE}. */
  private static String message(ParameterException mistake) {
    String text = String.valueOf(mistake.getMessage()).replace("option option", "option");
    return mistake.getArgSpec() == null
        ? text
        : text.replace("KEY=VALUE", mistake.getArgSpec().paramLabel());
  }

  /** A command that could not do its work, or was given values that cannot be. */
  static int failure(Exception exception, CommandLine command, ParseResult arguments) {
    PrintWriter err = command.getErr();
    if (exception instanceof UsageException) {
      err.println("rectiflow: " + exception.getMessage());
      printWhereToRead(err, command);
      return CommandLine.ExitCode.USAGE;
    }
    if (isForTheUser(exception)) {
      err.println("rectiflow: " + message(exception));
    } else {
      err.println("rectiflow: this is a bug in rectiflow, please report it with what follows:");
      exception.printStackTrace(err);
    }
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** The machine gave up: no memory, or a mapped file that cannot be read. */
  static int fault(VirtualMachineError fault, CommandLine command) {
    PrintWriter err = command.getErr();
    err.println(
        fault instanceof OutOfMemoryError
            ? "rectiflow: out of memory: %s. Close other programs, make the picture smaller with --size, decode with --tile 64, or leave T5 out with --no-t5."
                .formatted(fault.getMessage())
            : "rectiflow: a mapped file could not be read: another program changed it, or its disk failed (%s)"
                .formatted(fault.getMessage()));
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** Exceptions whose messages were written for people; any other is a mistake of ours. */
  private static boolean isForTheUser(Exception e) {
    return e instanceof UserException
        || e instanceof CheckpointException
        || e instanceof SafetensorsException
        || e instanceof TokenizerException
        || e instanceof NonFiniteException
        || e instanceof DeviceException
        || e instanceof IOException
        || e instanceof UncheckedIOException
        || e instanceof IllegalArgumentException;
  }

  private static String message(Exception e) {
    return switch (e) {
      case NoSuchFileException missing -> missing.getFile() + ": no such file or folder";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case FileAlreadyExistsException there -> there.getFile() + " is there already";
      case NotDirectoryException file -> file.getFile() + " is a file, not a folder";
      case FileSystemException other -> other.getMessage();
      case UncheckedIOException unchecked -> message(unchecked.getCause());
      default -> e.getMessage();
    };
  }
}
