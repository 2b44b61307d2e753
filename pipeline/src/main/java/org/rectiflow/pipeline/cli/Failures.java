package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.rectiflow.encoders.tokenizer.TokenizerException;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.pipeline.UserException;
import org.rectiflow.safetensors.SafetensorsException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns exceptions into one message that says what to do, and an exit status. */
final class Failures implements IExecutionExceptionHandler {

  @Override
  public int handleExecutionException(
      Exception exception, CommandLine command, ParseResult arguments) {
    if (exception instanceof ParameterException wrongUsage) {
      return command.getParameterExceptionHandler() == null
          ? CommandLine.ExitCode.USAGE
          : usage(wrongUsage, command);
    }
    PrintWriter err = command.getErr();
    if (isForTheUser(exception)) {
      err.println("rectiflow: " + message(exception));
    } else {
      err.println("rectiflow: this is a bug in rectiflow, please report it with what follows:");
      exception.printStackTrace(err);
    }
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static int usage(ParameterException wrongUsage, CommandLine command) {
    command.getErr().println("rectiflow: " + wrongUsage.getMessage());
    command.getErr().println("Try `" + command.getCommandSpec().qualifiedName() + " --help`.");
    command.getErr().flush();
    return CommandLine.ExitCode.USAGE;
  }

  /** Exceptions whose messages were written for people; any other is a mistake of ours. */
  private static boolean isForTheUser(Exception e) {
    return e instanceof UserException
        || e instanceof CheckpointException
        || e instanceof SafetensorsException
        || e instanceof TokenizerException
        || e instanceof NonFiniteException
        || e instanceof IOException
        || e instanceof IllegalArgumentException;
  }

  private static String message(Exception e) {
    return switch (e) {
      case NoSuchFileException missing -> missing.getFile() + ": no such file or folder";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case FileSystemException other -> other.getMessage();
      default -> e.getMessage();
    };
  }
}
