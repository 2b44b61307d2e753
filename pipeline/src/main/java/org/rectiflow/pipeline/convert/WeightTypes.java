package org.rectiflow.pipeline.convert;

import java.util.EnumSet;
import java.util.Set;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;

/** The types that weights are written in. */
public final class WeightTypes {
  private static final Set<DType> ALL =
      EnumSet.of(DType.F32, DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2);

  private WeightTypes() {}

  /**
   * The type of a name, in capitals or not.
   *
   * @throws IllegalArgumentException if it is the name of none of them
   */
  public static DType parse(String name) {
    return ALL.stream()
        .filter(dtype -> dtype.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(message(name)));
  }

  private static String message(Object name) {
    return "%s is no type for weights; choose one of %s".formatted(name, ALL);
  }

  /**
   * Refuses other types.
   *
   * @throws UserException if {@code dtype} is none of them
   */
  public static void require(DType dtype) {
    if (!ALL.contains(dtype)) {
      throw new UserException(message(dtype));
    }
  }
}
