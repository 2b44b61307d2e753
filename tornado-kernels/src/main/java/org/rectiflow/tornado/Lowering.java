package org.rectiflow.tornado;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Cost;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.Residents.Place;
import org.rectiflow.tornado.Residents.Staging;
import org.rectiflow.tornado.kernels.Attention;
import org.rectiflow.tornado.kernels.Convolution;
import org.rectiflow.tornado.kernels.Elementwise;
import org.rectiflow.tornado.kernels.Functions;
import org.rectiflow.tornado.kernels.Layout;
import org.rectiflow.tornado.kernels.Linear;
import org.rectiflow.tornado.kernels.Norms;
import org.rectiflow.tornado.kernels.Row;
import org.rectiflow.tornado.kernels.Staged;

/** Turns a graph into launches of kernels. */
final class Lowering {
  /** Matrix products of up to this many rows read the weights row by row. */
  static final int FEW_ROWS = 16;

  /**
   * The launches of one group of nodes.
   *
   * @param group nodes run as one
   * @param uploads weights that must be sent before
   * @param launches what runs, in order
   * @param cost least work
   */
  record Step(List<Node> group, List<Upload> uploads, List<Launch> launches, Cost cost) {
    Node last() {
      return group.getLast();
    }

    /** The same with every launch a task of its own for its grid. */
    Step pinned() {
      return new Step(group, uploads, launches.stream().map(Launch::pinned).toList(), cost);
    }

    String title() {
      return String.join("+", group.stream().map(node -> node.op().name()).toList());
    }
  }

  private final Residents residents;
  private final boolean tiles;
  private final boolean library;
  private final List<Step> steps = new ArrayList<>();

  /**
   * @param tiles whether the device gains from tiles in local memory, as GPUs do
   * @param library whether a library computes matrix products
   */
  Lowering(
      Graph graph,
      Fusion fusion,
      MemoryPlan plan,
      Residents residents,
      boolean tiles,
      boolean library) {
    this.residents = residents;
    this.tiles = tiles;
    this.library = library;
    for (List<Node> group : fusion.groups()) {
      Node last = group.getLast();
      boolean empty = last.outputs().stream().allMatch(v -> v.shape().count() == 0);
      if (!plan.isFree(last) && !isGiven(last) && !empty) {
        List<Launch> launches = lower(group);
        steps.add(new Step(group, residents.due(), launches, Cost.of(graph, fusion, group)));
      }
    }
  }

  private static boolean isGiven(Node node) {
    return switch (node.op()) {
      case Op.Parameter _, Op.Input _, Op.IntConstant _ -> true;
      default -> false;
    };
  }

  /** The steps in order. */
  List<Step> steps() {
    return steps;
  }

  private List<Launch> lower(List<Node> group) {
    Node node = group.getFirst();
    return switch (node.op()) {
      case Op.Linear _ -> linear(group);
      case Op.Conv2d _ -> List.of(convolution(group, false));
      case Op.UpsampleNearest2x _ ->
          List.of(group.size() == 1 ? upsample(node) : convolution(group, true));
      case Op.LayerNorm op -> List.of(layerNorm(op, group));
      case Op.GroupNorm op -> List.of(groupNorm(op, group));
      case Op.RmsNorm(float eps) -> List.of(rmsNorm(eps, node));
      case Op.Attention op -> List.of(attention(op, node));
      case Op.Modulate _ -> List.of(modulate(node));
      case Op.GatedAdd _ -> List.of(gatedAdd(node));
      case Op.Add _ -> List.of(combine(node, Elementwise.ADD));
      case Op.Mul _ -> List.of(combine(node, Elementwise.MUL));
      case Op.Affine(float factor, float offset) -> List.of(affine(factor, offset, node));
      case Op.Activate(Activation function) -> List.of(activate(function, node));
      case Op.Gather _ -> List.of(gather(node));
      case Op.TimestepFeatures(int dim) -> List.of(timestep(dim, node));
      case Op.Constant(Tensor value) -> List.of(constant(value, node));
      case Op.Reshape _ -> List.of(reshape(node));
      case Op.Slice op -> List.of(slice(op, node));
      case Op.Concat(int axis) -> concat(axis, node);
      case Op.Permute(List<Integer> axes) -> List.of(permute(axes, node));
      case Op.Repeat(int axis, _) -> List.of(repeat(axis, node));
      case Op.Clamp(float min, float max) -> List.of(clamp(min, max, node));
      case Op.Sum(int axis) -> List.of(sum(axis, node));
      // Not a list of the ops left out: this module is not part of every build, so the compiler
      // could not point here when an op is added.
      default ->
          throw new UnsupportedOperationException(
              "the tornado backend has no kernel for %s; --device cpu has all, those of training too"
                  .formatted(node.describe()));
    };
  }

  private int at(Value value) {
    return residents.at(value);
  }

  private static int count(Value value) {
    return Math.toIntExact(value.shape().count());
  }

  private static int code(Activation function) {
    return switch (function) {
      case SILU -> Functions.SILU;
      case GELU_TANH -> Functions.GELU_TANH;
      case GELU_ERF -> Functions.GELU_ERF;
      case QUICK_GELU -> Functions.QUICK_GELU;
      case ABS -> Functions.ABS;
      case EXP -> Functions.EXP;
    };
  }

  private static int functionOf(List<Node> group) {
    for (Node node : group) {
      if (node.op() instanceof Op.Activate(Activation function)) {
        return code(function);
      }
    }
    return Functions.NONE;
  }

  /** The operand of a two-operand node at the end of a chain that is not the chain's own result. */
  private static Value other(List<Node> group) {
    Value own = group.get(group.size() - 2).output();
    List<Value> inputs = group.getLast().inputs();
    return inputs.get(0) == own ? inputs.get(1) : inputs.get(0);
  }

  // ---- Linear algebra -----------------------------------------------------------------------

  private List<Launch> linear(List<Node> group) {
    Node node = group.getFirst();
    Node last = group.getLast();
    Value x = node.inputs().get(0);
    int m = x.shape().rows();
    int k = x.shape().dim(-1);
    int n = node.output().shape().dim(-1);
    int bias = node.inputs().size() > 2 ? at(node.inputs().get(2)) : -1;
    int function = functionOf(group);
    Linear.Finish finish =
        switch (group.size() == 1 ? node.op() : last.op()) {
          case Op.GatedAdd _ ->
              new Linear.Finish(
                  bias,
                  function,
                  Linear.GATED_ADD,
                  at(last.inputs().get(0)),
                  at(last.inputs().get(1)),
                  last.output().shape().dim(1));
          case Op.Add _ -> new Linear.Finish(bias, function, Linear.ADD, at(other(group)), -1, 1);
          case Op.Mul _ -> new Linear.Finish(bias, function, Linear.MUL, at(other(group)), -1, 1);
          default -> new Linear.Finish(bias, function, Linear.PLAIN, -1, -1, 1);
        };
    Place w = residents.weight(node.inputs().get(1));
    int powers = residents.powers(w.storage());
    int[] row = Linear.row(m, n, k, at(x), w.offset(), at(last.output()), powers, finish);
    if (m <= FEW_ROWS) {
      return List.of(
          new Launch(
              task(Kernel.LINEAR_FEW, w), Math.max(1, n), Launch.groups(m, Linear.FEW), row));
    }
    if (library) {
      return libraryProduct(m, n, k, at(x), w, powers, row);
    }
    if (tiles) {
      return List.of(
          new Launch(
              task(Kernel.LINEAR_TILED, w),
              Launch.groups(n, Linear.TILE),
              Launch.groups(m, Linear.TILE),
              row));
    }
    return List.of(
        new Launch(
            task(Kernel.LINEAR_BLOCKED, w),
            Launch.groups(n, Linear.BLOCK * Kernel.LINEAR_BLOCKED.localX()),
            Launch.groups(m, Linear.BLOCK * Kernel.LINEAR_BLOCKED.localY()),
            row));
  }

  private List<Launch> libraryProduct(int m, int n, int k, int x, Place w, int powers, int[] row) {
    int results = Math.multiplyExact(m, n);
    int inputs = Math.multiplyExact(m, k);
    int weights = Math.multiplyExact(n, k);
    int xs = residents.staging(Staging.INPUT, inputs);
    int ws = residents.staging(Staging.WEIGHT, weights);
    int ys = residents.staging(Staging.RESULT, results);
    Task weight = new Task(Kernel.STAGE_WEIGHT, w.storage(), w.array(), List.of(ws));
    return List.of(
        elements(
            new Task(Kernel.STAGE_INPUT, List.of(xs, ys)),
            inputs,
            Staged.inputRow(inputs, x, results)),
        elements(weight, weights, Staged.weightRow(weights, w.offset(), powers)),
        elements(new Task(Kernel.LIBRARY_PRODUCT, List.of(m, n, k, xs, ws, ys)), results, Row.of()),
        elements(new Task(Kernel.STAGED_RESULT, List.of(ys)), results, row));
  }

  private static Launch elements(Task task, int n, int[] row) {
    return new Launch(task, Launch.groups(n, task.kernel().localX()), 1, row);
  }

  private static Task task(Kernel kernel, Place weight) {
    return new Task(kernel, weight.storage(), weight.array());
  }

  private Launch convolution(List<Node> group, boolean upsampled) {
    Node node = group.get(upsampled ? 1 : 0);
    Node last = group.getLast();
    Op.Conv2d op = (Op.Conv2d) node.op();
    Value x = group.getFirst().inputs().getFirst();
    Value weight = node.inputs().get(1);
    Shape out = node.output().shape();
    Convolution.Geometry geometry =
        new Convolution.Geometry(
            out.dim(0),
            x.shape().dim(1),
            x.shape().dim(2),
            x.shape().dim(3),
            out.dim(1),
            out.dim(2),
            out.dim(3),
            weight.shape().dim(2),
            weight.shape().dim(3),
            op.stride(),
            op.padding().top(),
            op.padding().left(),
            upsampled ? 1 : 0);
    Place w = residents.weight(weight);
    int bias = op.bias() ? at(node.inputs().get(2)) : -1;
    int residual = last.op() instanceof Op.Add ? at(other(group)) : -1;
    return new Launch(
        task(Kernel.CONVOLUTION, w),
        Launch.groups(geometry.pixels(), Convolution.PIXELS),
        Launch.groups(geometry.outChannels(), Convolution.CHANNELS),
        Convolution.row(
            geometry,
            at(x),
            w.offset(),
            bias,
            residual,
            at(last.output()),
            residents.powers(w.storage())));
  }

  private Launch attention(Op.Attention op, Node node) {
    if (op.logSumExp()) {
      throw new UnsupportedOperationException(
          "the tornado backend has no kernel for the log-sum-exp of %s; --device cpu trains"
              .formatted(node.describe()));
    }
    if (op.streams() > Attention.MAX_STREAMS) {
      throw new UnsupportedOperationException(
          "attention over %d sequences; the tornado backend's kernel takes up to %d"
              .formatted(op.streams(), Attention.MAX_STREAMS));
    }
    List<Value> in = node.inputs();
    Shape q = in.getFirst().shape();
    int d = q.dim(2) / op.heads();
    Attention.Stream[] streams = new Attention.Stream[op.streams()];
    int tokens = 0;
    for (int s = 0; s < streams.length; s++) {
      int own = in.get(3 * s).shape().dim(1);
      tokens += own;
      streams[s] =
          new Attention.Stream(
              own,
              at(in.get(3 * s)),
              at(in.get(3 * s + 1)),
              at(in.get(3 * s + 2)),
              at(node.outputs().get(s)));
    }
    int[] row =
        Attention.row(
            q.dim(0),
            op.heads(),
            d,
            residents.constant(op.scale()),
            op.causal() ? 1 : 0,
            op.bias() ? at(in.getLast()) : -1,
            streams);
    return new Launch(
        new Task(Kernel.ATTENTION),
        Launch.groups(tokens, Attention.TILE),
        q.dim(0) * op.heads() * Attention.chunks(d),
        row);
  }

  // ---- Normalisation and modulation ---------------------------------------------------------

  private Launch layerNorm(Op.LayerNorm op, List<Node> group) {
    Node node = group.getFirst();
    Node last = group.getLast();
    Value x = node.inputs().getFirst();
    boolean modulated = group.size() > 1;
    int rows = x.shape().rows();
    int[] row =
        Norms.layerNormRow(
            rows,
            x.shape().dim(-1),
            at(x),
            at(last.output()),
            residents.constant(op.eps()),
            op.affine() ? at(node.inputs().get(1)) : -1,
            op.affine() ? at(node.inputs().get(2)) : -1,
            modulated ? at(last.inputs().get(1)) : -1,
            modulated ? at(last.inputs().get(2)) : -1,
            modulated ? last.output().shape().dim(1) : 1);
    return new Launch(new Task(Kernel.LAYER_NORM), rows, 1, row);
  }

  private Launch rmsNorm(float eps, Node node) {
    Value x = node.inputs().get(0);
    int c = x.shape().dim(-1);
    int rows = x.shape().rows();
    int[] row =
        Norms.rmsNormRow(
            rows, c, at(x), at(node.output()), residents.constant(eps), at(node.inputs().get(1)));
    return c <= Norms.SHORT_ROW
        ? Launch.elements(Kernel.RMS_NORM_SHORT, rows, row)
        : new Launch(new Task(Kernel.RMS_NORM), rows, 1, row);
  }

  private Launch groupNorm(Op.GroupNorm op, List<Node> group) {
    Node node = group.getFirst();
    Shape x = node.output().shape();
    int groups = x.dim(0) * op.groups();
    int[] row =
        Norms.groupNormRow(
            groups,
            op.groups(),
            x.dim(1) / op.groups(),
            x.dim(2) * x.dim(3),
            at(node.inputs().get(0)),
            at(group.getLast().output()),
            residents.constant(op.eps()),
            at(node.inputs().get(1)),
            at(node.inputs().get(2)),
            functionOf(group));
    return new Launch(new Task(Kernel.GROUP_NORM), groups, 1, row);
  }

  private Launch modulate(Node node) {
    List<Value> in = node.inputs();
    Shape x = node.output().shape();
    int n = count(node.output());
    return Launch.elements(
        Kernel.MODULATE,
        n,
        Elementwise.modulateRow(
            n,
            at(in.get(0)),
            at(in.get(1)),
            at(in.get(2)),
            x.dim(1) * x.dim(2),
            x.dim(2),
            at(node.output())));
  }

  private Launch gatedAdd(Node node) {
    List<Value> in = node.inputs();
    Shape x = node.output().shape();
    int n = count(node.output());
    return Launch.elements(
        Kernel.GATED_ADD,
        n,
        Elementwise.gatedAddRow(
            n,
            at(in.get(0)),
            at(in.get(1)),
            at(in.get(2)),
            x.dim(1) * x.dim(2),
            x.dim(2),
            at(node.output())));
  }

  // ---- Element-wise -------------------------------------------------------------------------

  private Launch combine(Node node, int op) {
    Value b = node.inputs().get(1);
    int n = count(node.output());
    return Launch.elements(
        Kernel.COMBINE,
        n,
        Elementwise.combineRow(
            n, at(node.inputs().get(0)), at(b), count(b), at(node.output()), op));
  }

  private Launch affine(float factor, float offset, Node node) {
    int n = count(node.output());
    int constants = residents.constant(factor, offset);
    return Launch.elements(
        Kernel.AFFINE,
        n,
        Elementwise.affineRow(n, at(node.inputs().getFirst()), at(node.output()), constants));
  }

  private Launch activate(Activation function, Node node) {
    int n = count(node.output());
    return Launch.elements(
        Kernel.ACTIVATE,
        n,
        Elementwise.activateRow(
            n, at(node.inputs().getFirst()), at(node.output()), code(function)));
  }

  private Launch clamp(float min, float max, Node node) {
    int n = count(node.output());
    int constants = residents.constant(min, max);
    return Launch.elements(
        Kernel.CLAMP,
        n,
        Elementwise.clampRow(n, at(node.inputs().getFirst()), at(node.output()), constants));
  }

  private Launch sum(int axis, Node node) {
    Value x = node.inputs().getFirst();
    int n = count(node.output());
    int inner = Math.toIntExact(x.shape().product(axis + 1, x.shape().rank()));
    return Launch.elements(
        Kernel.SUM, n, Layout.sumRow(n, at(x), at(node.output()), x.shape().dim(axis), inner));
  }

  /** A copy that does not move along the new axis of its source. */
  private Launch repeat(int axis, Node node) {
    Value x = node.inputs().getFirst();
    return Strides.of(node.output().shape())
        .repeated(x.shape(), axis)
        .copy(at(x), at(node.output()));
  }

  // ---- Lookups and layout -------------------------------------------------------------------

  private Launch gather(Node node) {
    Place table = residents.weight(node.inputs().get(0));
    int n = count(node.output());
    int[] row =
        Layout.gatherRow(
            n,
            node.output().shape().dim(-1),
            table.offset(),
            at(node.inputs().get(1)),
            at(node.output()),
            residents.powers(table.storage()));
    return new Launch(task(Kernel.GATHER, table), Launch.groups(n, Kernel.GATHER.localX()), 1, row);
  }

  private Launch timestep(int dim, Node node) {
    int half = dim / 2;
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = (float) Math.exp(-Math.log(10000) * i / half);
    }
    Value t = node.inputs().getFirst();
    int n = count(t);
    return Launch.elements(
        Kernel.TIMESTEP,
        (long) n * half,
        Layout.timestepRow(n, half, at(t), residents.constant(frequencies), at(node.output())));
  }

  private Launch upsample(Node node) {
    Value x = node.inputs().getFirst();
    int n = count(node.output());
    return Launch.elements(
        Kernel.UPSAMPLE, n, Layout.upsampleRow(n, at(x), at(node.output()), x.shape().dim(3)));
  }

  private Launch constant(Tensor value, Node node) {
    return Strides.of(value.shape()).copy(residents.values(value.data()), at(node.output()));
  }

  private Launch reshape(Node node) {
    Value x = node.inputs().getFirst();
    return Strides.of(x.shape()).copy(at(x), at(node.output()));
  }

  private Launch slice(Op.Slice op, Node node) {
    Value x = node.inputs().getFirst();
    Strides strides = Strides.of(node.output().shape()).from(x.shape());
    return strides.copy(at(x) + op.start() * strides.from(op.axis()), at(node.output()));
  }

  private List<Launch> concat(int axis, Node node) {
    List<Launch> launches = new ArrayList<>();
    int start = 0;
    for (Value part : node.inputs()) {
      if (part.shape().count() > 0) {
        Strides strides = Strides.of(part.shape()).to(node.output().shape());
        launches.add(strides.copy(at(part), at(node.output()) + start * strides.to(axis)));
      }
      start += part.shape().dim(axis);
    }
    return launches;
  }

  private Launch permute(List<Integer> axes, Node node) {
    Value x = node.inputs().getFirst();
    return Strides.of(node.output().shape())
        .permuted(x.shape(), axes)
        .copy(at(x), at(node.output()));
  }
}
