package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import org.rectiflow.pipeline.verify.Comparison;
import org.rectiflow.pipeline.verify.ComparisonGroup;

/** The table that {@code verify} prints: tensors, or kinds of them, with their differences. */
final class VerifyLines {
  private VerifyLines() {}

  static void heading(PrintWriter out, String first) {
    out.printf("%-44s %12s %12s %10s%n", first, "max abs", "max rel", "allowed");
  }

  static void print(PrintWriter out, Comparison c) {
    line(out, c.name(), c.absolute(), c.relative(), allowed(c.rule(), c.tolerance()));
    out.println(c.passes() ? "ok" : "FAILED");
    out.flush();
  }

  static void print(PrintWriter out, ComparisonGroup g) {
    String name = "  %-34s %7d".formatted(g.kind(), g.tensors());
    line(out, name, g.absolute(), g.relative(), allowed(g.rule(), g.tolerance()));
    out.println(g.failed() == 0 ? "ok" : "FAILED " + g.failed());
    out.flush();
  }

  private static void line(
      PrintWriter out, String name, double absolute, double relative, String allowed) {
    out.printf("%-44s %12.3e %12.3e %10s ", name, absolute, relative, allowed);
  }

  private static String allowed(Comparison.Rule rule, double tolerance) {
    return switch (rule) {
      case EQUAL -> "equal";
      case ABSOLUTE -> "%.0e abs".formatted(tolerance);
      case RELATIVE -> "%.0e rel".formatted(tolerance);
      case LEVELS -> "%.0f levels".formatted(tolerance);
    };
  }
}
