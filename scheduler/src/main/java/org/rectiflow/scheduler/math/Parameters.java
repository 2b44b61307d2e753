package org.rectiflow.scheduler.math;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Parameters as the paper's names print them. */
public final class Parameters {

  private static final int PRINTED_DECIMALS = 2;

  private Parameters() {}

  /**
   * At least the two decimals of the paper's names, and as many more as the value needs: 0.00,
   * 1.29, -0.5417.
   */
  public static String print(double value) {
    BigDecimal exact = BigDecimal.valueOf(value == 0 ? 0.0 : value);
    int decimals = Math.max(PRINTED_DECIMALS, exact.stripTrailingZeros().scale());
    return exact.setScale(decimals, RoundingMode.UNNECESSARY).toPlainString();
  }
}
