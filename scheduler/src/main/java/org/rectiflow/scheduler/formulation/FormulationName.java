package org.rectiflow.scheduler.formulation;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.rectiflow.scheduler.density.CosMap;
import org.rectiflow.scheduler.density.EdmLogNormal;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.density.Mode;
import org.rectiflow.scheduler.density.ResolutionShifted;
import org.rectiflow.scheduler.density.TimestepDensity;
import org.rectiflow.scheduler.density.Uniform;
import org.rectiflow.scheduler.math.Parameters;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.EdmCos;
import org.rectiflow.scheduler.path.EdmRf;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.ResolutionShift;
import org.rectiflow.scheduler.path.VarianceExploding;

/** The names of formulations, read and printed. */
final class FormulationName {

  private static final String KNOWN =
      "rf, rf/mode(s), rf/lognorm(m,s), rf/cosmap, edm(P_m,P_s), edm/rf, edm/cos, eps/linear, v/linear, eps/cos, v/cos";

  /** A word with numbers in brackets, or without. */
  private static final Pattern PART = Pattern.compile("([A-Za-z_-]+)(?:\\(([^()]*)\\))?");

  private FormulationName() {}

  /** One part of a name between slashes or plus signs. */
  private record Part(String word, List<String> arguments) {

    static Part of(String text, String whole) {
      Matcher matcher = PART.matcher(text);
      if (!matcher.matches()) {
        throw unknown(whole, "cannot read '" + text + "'");
      }
      String arguments = matcher.group(2);
      return new Part(
          matcher.group(1), arguments == null ? List.of() : List.of(arguments.split(",", -1)));
    }

    double[] numbers(int count, String whole) {
      if (arguments.size() != count) {
        throw unknown(
            whole, "'" + word + "' takes " + count + " number(s), found " + arguments.size());
      }
      try {
        return arguments.stream().mapToDouble(Double::parseDouble).toArray();
      } catch (NumberFormatException e) {
        throw unknown(whole, "'" + word + "' takes numbers, found " + arguments, e);
      }
    }
  }

  static Formulation parse(String name) {
    String[] modified = name.replaceAll("\\s", "").split("\\+", -1);
    Deque<Part> parts = new ArrayDeque<>();
    for (String text : modified[0].split("/", -1)) {
      parts.add(Part.of(text, name));
    }
    Optional<Prediction> named = prediction(parts.peek());
    if (named.isPresent()) {
      parts.poll();
    }
    NoisePath path = path(parts, name);
    Prediction prediction = named.orElseGet(() -> impliedPrediction(path, name));
    TimestepDensity density = parts.isEmpty() ? new Uniform() : density(parts.poll(), path, name);
    if (!parts.isEmpty()) {
      throw unknown(name, "'" + parts.peek().word() + "' is one part too many");
    }
    Formulation formulation = new Formulation(path, prediction, density, OutputWeight.ONE);
    for (int i = 1; i < modified.length; i++) {
      formulation = modify(formulation, Part.of(modified[i], name), name);
    }
    return formulation;
  }

  private static Optional<Prediction> prediction(Part part) {
    return part.arguments().isEmpty()
        ? Arrays.stream(Prediction.values()).filter(p -> printed(p).equals(part.word())).findFirst()
        : Optional.empty();
  }

  private static NoisePath path(Deque<Part> parts, String name) {
    if (parts.isEmpty()) {
      throw unknown(name, "a path is missing");
    }
    Part part = parts.poll();
    if (part.word().equals("edm") && part.arguments().isEmpty()) {
      String matched = parts.isEmpty() ? "" : parts.poll().word();
      return switch (matched) {
        case "rf" -> new EdmRf();
        case "cos" -> new EdmCos();
        default -> throw unknown(name, "edm is followed by (P_m,P_s), /rf or /cos");
      };
    }
    return switch (part.word()) {
      case "rf" -> plain(part, new RectifiedFlow(), name);
      case "cos" -> plain(part, new Cosine(), name);
      case "linear" -> plain(part, LinearPath.ldm(), name);
      case "ddpm-linear" -> plain(part, LinearPath.ddpm(), name);
      case "edm" -> {
        double[] numbers = part.numbers(2, name);
        yield new Edm(numbers[0], numbers[1]);
      }
      default -> throw unknown(name, "'" + part.word() + "' is no path");
    };
  }

  private static <T> T plain(Part part, T value, String name) {
    part.numbers(0, name);
    return value;
  }

  private static Prediction impliedPrediction(NoisePath path, String name) {
    return switch (path) {
      case RectifiedFlow _ -> Prediction.VELOCITY;
      case VarianceExploding _ -> Prediction.F;
      default ->
          throw unknown(
              name, "the path " + path.name() + " needs a prediction, as in eps/" + path.name());
    };
  }

  private static TimestepDensity density(Part part, NoisePath path, String name) {
    return switch (part.word()) {
      case "uniform" -> plain(part, new Uniform(), name);
      case "cosmap" -> plain(part, new CosMap(), name);
      case "mode" -> new Mode(part.numbers(1, name)[0]);
      case "lognorm" -> {
        double[] numbers = part.numbers(2, name);
        yield new LogitNormal(numbers[0], numbers[1]);
      }
      case "edm-lognorm" -> {
        double[] numbers = part.numbers(2, name);
        yield new EdmLogNormal(path, numbers[0], numbers[1]);
      }
      default -> throw unknown(name, "'" + part.word() + "' is no density");
    };
  }

  private static Formulation modify(Formulation formulation, Part part, String name) {
    return switch (part.word()) {
      case "shift" -> formulation.shifted(part.numbers(1, name)[0]);
      case "weight" -> formulation.weighted(OutputWeight.parse(String.join(",", part.arguments())));
      default ->
          throw unknown(name, "'+" + part.word() + "' is neither +shift(alpha) nor +weight(name)");
    };
  }

  static String print(Formulation formulation) {
    StringBuilder out = new StringBuilder();
    NoisePath path = formulation.path();
    boolean implied =
        switch (path) {
          case RectifiedFlow _ -> formulation.prediction() == Prediction.VELOCITY;
          case VarianceExploding _ -> formulation.prediction() == Prediction.F;
          default -> false;
        };
    if (!implied) {
      out.append(printed(formulation.prediction())).append('/');
    }
    out.append(path instanceof Edm edm ? edmName(edm) : path.name());
    out.append(densityName(formulation.density()));
    if (formulation.outputWeight() != OutputWeight.ONE) {
      out.append("+weight(").append(formulation.outputWeight().printedName()).append(')');
    }
    return out.toString();
  }

  private static String edmName(Edm edm) {
    return "edm(" + Parameters.print(edm.pMean()) + "," + Parameters.print(edm.pStd()) + ")";
  }

  /** With the slash before it; uniform goes without saying. */
  private static String densityName(TimestepDensity density) {
    return switch (density) {
      case Uniform _ -> "";
      case ResolutionShifted(TimestepDensity base, ResolutionShift shift) ->
          densityName(base) + "+shift(" + Parameters.print(shift.alpha()) + ")";
      default -> "/" + density.name();
    };
  }

  private static String printed(Prediction prediction) {
    return prediction == Prediction.EPSILON ? "eps" : prediction.printedName();
  }

  private static IllegalArgumentException unknown(String name, String reason) {
    return unknown(name, reason, null);
  }

  private static IllegalArgumentException unknown(String name, String reason, Exception cause) {
    return new IllegalArgumentException(
        "Unknown formulation '" + name + "': " + reason + ". The paper's are " + KNOWN + ".",
        cause);
  }
}
