package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        new Op.Attention(streams.size(), heads, (float) (1 / Math.sqrt(headSize)), false, false),
        streams,
        List.of());
  }

  /** Self-attention of one sequence with the scale and mask given; {@code bias} may be null. */
  public Value selfAttention(int heads, Qkv x, float scale, boolean causal, Value bias) {
    Op.Attention op = new Op.Attention(1, heads, scale, causal, bias != null);
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

  // ---- Recording ----------------------------------------------------------------------------

  private Value record(Op op, Value... inputs) {
    return recordAll(op, List.of(inputs)).getFirst();
  }

  private List<Value> recordAll(Op op, List<Value> inputs) {
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
