package org.rectiflow.scheduler;

/** The checks that all steppers share. */
final class StepChecks {

  private StepChecks() {}

  static int beginIndex(Schedule schedule, int expectedCalls, StepOptions options) {
    if (schedule.modelCalls() != expectedCalls) {
      throw new IllegalArgumentException(
          "A run follows a schedule of its own scheduler: "
              + schedule.steps()
              + " steps take "
              + expectedCalls
              + " model calls here, the schedule has "
              + schedule.modelCalls()
              + ".");
    }
    if (options.beginIndex() > schedule.modelCalls()) {
      throw new IllegalArgumentException(
          "The begin index must be at most the number of model calls "
              + schedule.modelCalls()
              + ", found "
              + options.beginIndex()
              + ".");
    }
    return options.beginIndex();
  }

  static void beforeStep(Stepper stepper, float[] modelOutput, float[] sample) {
    requireRunning(stepper);
    TimestepTable.requireSameLength("model output", modelOutput, sample);
  }

  static void requireRunning(Stepper stepper) {
    if (stepper.done()) {
      throw new IllegalStateException(
          "All "
              + stepper.schedule().modelCalls()
              + " model calls of this run are made; begin another run.");
    }
  }
}
