package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.rectiflow.engine.Op.Padding;

/**
 * A recording of ops for fixed shapes. Models are ordinary Java methods that call these methods and
 * read like the paper; a {@link Backend} turns the recording into something that runs.
 *
 * <p>Every method checks shapes at once, so a mistake is reported at the line that makes it. A
 * graph is not thread-safe while it is being recorded.
 */
public final class Graph {
  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Value> outputs = new LinkedHashMap<>();
  private final List<String> scopes = new ArrayList<>();

  // ---- Structure ----------------------------------------------------------------------------

  /** The nodes in execution order. */
  public List<Node> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** The values a run returns, by name, in the order they were declared. */
  public Map<String, Value> outputs() {
    return Collections.unmodifiableMap(outputs);
  }

  /** Returns {@code value} from every run under {@code name}. */
  public void output(String name, Value value) {
    if (outputs.putIfAbsent(name, own(value)) != null) {
      throw new IllegalArgumentException("the graph already has an output named " + name);
    }
  }

  /**
   * Names what is recorded inside a try block: scopes nest, {@code block3} then {@code attn} makes
   * {@code block3.attn} in profiles and errors.
   */
  public Scope scope(String name) {
    scopes.add(name);
    return () -> scopes.removeLast();
  }

  /** Ends a {@link #scope}. */
  @FunctionalInterface
  public interface Scope extends AutoCloseable {
    @Override
    void close();
  }

  // ---- Sources ------------------------------------------------------------------------------

  /** A float tensor given at every run under {@code name}. */
  public Value input(String name, int... dims) {
    return record(new Op.Input(name, Shape.of(dims), ElementType.F32));
  }

  /** An int tensor given at every run under {@code name}. */
  public Value intInput(String name, int... dims) {
    return record(new Op.Input(name, Shape.of(dims), ElementType.I32));
  }

  public Value parameter(Weight weight) {
    return record(new Op.Parameter(weight));
  }

  public Value constant(Tensor value) {
    return record(new Op.Constant(value));
  }

  public Value constant(IntTensor value) {
    return record(new Op.IntConstant(value));
  }

  // ---- Linear algebra -----------------------------------------------------------------------

  /** {@code x W^T + b}; see {@link Op.Linear}. */
  public Value linear(Value x, Value weight, Value bias) {
    return record(new Op.Linear(true), x, weight, bias);
  }

  /** {@code x W^T}; see {@link Op.Linear}. */
  public Value linear(Value x, Value weight) {
    return record(new Op.Linear(false), x, weight);
  }

  /** Queries, keys and values of one sequence, [B, T, H D] each. */
  public record Qkv(Value q, Value k, Value v) {}

  /**
   * Joint attention (paper, Figure 2b): every stream's queries see the keys and values of all
   * streams. Scale 1/sqrt(D).
   *
   * @return one tensor [B, T_s, H D] per stream
   */
  public List<Value> jointAttention(int heads, List<Qkv> streams) {
    int headSize = streams.getFirst().q().shape().dim(-1) / heads;
    return attention(
        new Op.Attention(
            streams.size(), heads, (float) (1 / Math.sqrt(headSize)), false, false, false),
        streams,
        List.of());
  }

  /** Self-attention of one sequence with the scale and mask given; {@code bias} may be null. */
  public Value selfAttention(int heads, Qkv x, float scale, boolean causal, Value bias) {
    Op.Attention op = new Op.Attention(1, heads, scale, causal, bias != null, false);
    return attention(op, List.of(x), bias == null ? List.of() : List.of(bias)).getFirst();
  }

  private List<Value> attention(Op.Attention op, List<Qkv> streams, List<Value> bias) {
    List<Value> inputs = new ArrayList<>();
    for (Qkv s : streams) {
      inputs.addAll(List.of(s.q(), s.k(), s.v()));
    }
    inputs.addAll(bias);
    return recordAll(op, inputs);
  }

  /** {@code a b} of two matrices; see {@link Op.MatMul}. */
  public Value matMul(Value a, boolean transposeA, Value b, boolean transposeB) {
    return record(new Op.MatMul(transposeA, transposeB), a, b);
  }

  /** See {@link Op.Conv2d}. */
  public Value conv2d(Value x, Value weight, Value bias, int stride, Padding padding) {
    return record(new Op.Conv2d(stride, padding, true), x, weight, bias);
  }

  // ---- Normalisation and modulation ---------------------------------------------------------

  /** Layer norm without weight and bias, as before every modulation in MMDiT. */
  public Value layerNorm(Value x, float eps) {
    return record(new Op.LayerNorm(eps, false), x);
  }

  public Value layerNorm(Value x, Value weight, Value bias, float eps) {
    return record(new Op.LayerNorm(eps, true), x, weight, bias);
  }

  /** RMS norm over the last axis. */
  public Value rmsNorm(Value x, Value weight, float eps) {
    return record(new Op.RmsNorm(eps), x, weight);
  }

  public Value groupNorm(Value x, Value weight, Value bias, int groups, float eps) {
    return record(new Op.GroupNorm(groups, eps), x, weight, bias);
  }

  /** {@code x (1 + scale) + shift}. */
  public Value modulate(Value x, Value shift, Value scale) {
    return record(new Op.Modulate(), x, shift, scale);
  }

  /** {@code x + gate * y}. */
  public Value gatedAdd(Value x, Value gate, Value y) {
    return record(new Op.GatedAdd(), x, gate, y);
  }

  // ---- Element-wise -------------------------------------------------------------------------

  public Value add(Value a, Value b) {
    return record(new Op.Add(), a, b);
  }

  public Value mul(Value a, Value b) {
    return record(new Op.Mul(), a, b);
  }

  /** {@code factor * x + offset}. */
  public Value affine(Value x, float factor, float offset) {
    return record(new Op.Affine(factor, offset), x);
  }

  public Value activate(Activation function, Value x) {
    return record(new Op.Activate(function), x);
  }

  public Value silu(Value x) {
    return activate(Activation.SILU, x);
  }

  /** {@code a - b}; b's shape as for {@link Op.Add}. */
  public Value subtract(Value a, Value b) {
    return add(a, affine(b, -1, 0));
  }

  /** The nearest value from {@code min} to {@code max}. */
  public Value clamp(Value x, float min, float max) {
    return record(new Op.Clamp(min, max), x);
  }

  // ---- Sums, repetitions and losses ---------------------------------------------------------

  /** Sum over {@code axis}, which disappears. */
  public Value sum(Value x, int axis) {
    return record(new Op.Sum(x.shape().axis(axis)), x);
  }

  /** {@code log(sum(exp(x)))} over the last axis, which disappears; no exponential overflows. */
  public Value logSumExp(Value x) {
    return record(new Op.LogSumExp(), x);
  }

  /** {@code x} {@code count} times along a new axis. */
  public Value repeat(Value x, int axis, int count) {
    return record(new Op.Repeat(axis, count), x);
  }

  /** The mean of all elements, a scalar. */
  public Value mean(Value x) {
    int count = Math.toIntExact(x.shape().count());
    return affine(sum(reshape(x, count), 0), 1f / count, 0);
  }

  /** The mean of {@code (a - b)^2}, a scalar. */
  public Value meanSquaredError(Value a, Value b) {
    Value difference = subtract(a, b);
    return mean(mul(difference, difference));
  }

  /** The mean of {@code |a - b|}, a scalar. */
  public Value meanAbsoluteError(Value a, Value b) {
    return mean(activate(Activation.ABS, subtract(a, b)));
  }

  // ---- Lookups and features -----------------------------------------------------------------

  /** Rows of {@code table} [V, C] by {@code ids}. */
  public Value gather(Value table, Value ids) {
    return record(new Op.Gather(), table, ids);
  }

  /** Sinusoidal features of timesteps [B]; see {@link Op.TimestepFeatures}. */
  public Value timestepFeatures(Value timestep, int dim) {
    return record(new Op.TimestepFeatures(dim), timestep);
  }

  // ---- Layout -------------------------------------------------------------------------------

  public Value upsampleNearest2x(Value x) {
    return record(new Op.UpsampleNearest2x(), x);
  }

  public Value reshape(Value x, int... dims) {
    return record(new Op.Reshape(Shape.of(dims)), x);
  }

  public Value slice(Value x, int axis, int start, int length) {
    return record(new Op.Slice(x.shape().axis(axis), start, length), x);
  }

  /** {@code x} cut along {@code axis} into {@code n} equal parts. */
  public List<Value> chunk(Value x, int axis, int n) {
    int size = x.shape().dim(axis);
    if (n < 1 || size % n != 0) {
      throw new IllegalArgumentException(
          "axis " + axis + " of " + x.shape() + " does not divide into " + n + " parts");
    }
    int part = size / n;
    return IntStream.range(0, n).mapToObj(i -> slice(x, axis, i * part, part)).toList();
  }

  public Value concat(int axis, List<Value> parts) {
    return recordAll(new Op.Concat(parts.getFirst().shape().axis(axis)), parts).getFirst();
  }

  public Value permute(Value x, Integer... axes) {
    return record(new Op.Permute(List.of(axes)), x);
  }

  // ---- Composition --------------------------------------------------------------------------

  /**
   * Records everything of {@code part} here again, so that whole models can be joined, and trained:
   * a parameter can become an input whose values change between runs.
   *
   * @param inputs what takes the place of the part's inputs, by their names; inputs that are not
   *     named become inputs of this graph
   * @param parameters what takes the place of a parameter: {@link #parameter} keeps it
   * @return the part's outputs, by name
   * @throws IllegalArgumentException if a value differs from what it replaces in shape, or the part
   *     has no input of a name
   */
  public Map<String, Value> include(
      Graph part, Map<String, Value> inputs, Function<Weight, Value> parameters) {
    Map<Value, Value> here = new HashMap<>();
    Set<String> unknown = new TreeSet<>(inputs.keySet());
    for (Node node : part.nodes) {
      List<Value> results =
          switch (node.op()) {
            case Op.Input(String name, _, _) when inputs.containsKey(name) -> {
              unknown.remove(name);
              yield List.of(fitting("input " + name, node.output(), inputs.get(name)));
            }
            case Op.Parameter(Weight weight) ->
                List.of(fitting(weight.name(), node.output(), parameters.apply(weight)));
            default -> {
              try (Scope _ = node.scope().isEmpty() ? () -> {} : scope(node.scope())) {
                yield recordAll(node.op(), node.inputs().stream().map(here::get).toList());
              }
            }
          };
      for (int i = 0; i < results.size(); i++) {
        here.put(node.outputs().get(i), results.get(i));
      }
    }
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException("the part has no inputs named " + unknown);
    }
    Map<String, Value> results = new LinkedHashMap<>();
    part.outputs.forEach((name, value) -> results.put(name, here.get(value)));
    return results;
  }

  private Value fitting(String what, Value old, Value replacement) {
    if (!own(replacement).shape().equals(old.shape()) || replacement.type() != old.type()) {
      throw new IllegalArgumentException(
          "%s is %s %s, it cannot be replaced by %s %s"
              .formatted(what, old.type(), old.shape(), replacement.type(), replacement.shape()));
    }
    return replacement;
  }

  /**
   * The log-sum-exp of an attention, asked for after it was recorded: the node is recorded anew in
   * its place, its results stay.
   */
  Value logSumExp(Node node) {
    Op.Attention old = (Op.Attention) node.op();
    if (old.logSumExp()) {
      return node.outputs().getLast();
    }
    Op.Attention op =
        new Op.Attention(old.streams(), old.heads(), old.scale(), old.causal(), old.bias(), true);
    Shape shape = ShapeRules.infer(op, node.inputs()).getLast();
    List<Value> outputs = new ArrayList<>(node.outputs());
    outputs.add(new Value(node.index(), outputs.size(), shape, ElementType.F32));
    nodes.set(node.index(), new Node(node.index(), op, node.inputs(), outputs, node.scope()));
    return outputs.getLast();
  }

  // ---- Recording ----------------------------------------------------------------------------

  Value record(Op op, Value... inputs) {
    return recordAll(op, List.of(inputs)).getFirst();
  }

  List<Value> recordAll(Op op, List<Value> inputs) {
    inputs.forEach(this::own);
    int index = nodes.size();
    String scope = String.join(".", scopes);
    List<Shape> shapes;
    try {
      shapes = ShapeRules.infer(op, inputs);
    } catch (IllegalArgumentException e) {
      String where = scope.isEmpty() ? "" : " in " + scope;
      throw new IllegalArgumentException(op.name() + where + ": " + e.getMessage(), e);
    }
    ElementType type = typeOf(op, inputs);
    List<Value> values =
        IntStream.range(0, shapes.size())
            .mapToObj(i -> new Value(index, i, shapes.get(i), type))
            .toList();
    nodes.add(new Node(index, op, inputs, values, scope));
    return values;
  }

  private static ElementType typeOf(Op op, List<Value> inputs) {
    return switch (op) {
      case Op.Input(_, _, ElementType type) -> type;
      case Op.IntConstant _ -> ElementType.I32;
      case Op.Reshape _ -> inputs.getFirst().type();
      default -> ElementType.F32;
    };
  }

  private Value own(Value value) {
    if (value.node() >= nodes.size()
        || nodes.get(value.node()).outputs().get(value.output()) != value) {
      throw new IllegalArgumentException(value + " belongs to another graph");
    }
    return value;
  }
}
