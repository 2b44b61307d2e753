package org.rectiflow.benchmarks.peers;

import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.rectiflow.benchmarks.kernels.ConvProblem;
import org.rectiflow.benchmarks.kernels.MatMulProblem;

/**
 * oneDNN with everything laid out as it likes best before the clock starts: packed weights, and for
 * convolutions also the picture and the result in its own channel order.
 */
final class OneDnn implements Peer {
  private static final List<Integer> ARGUMENTS =
      List.of(dnnl.DNNL_ARG_SRC, dnnl.DNNL_ARG_WEIGHTS, dnnl.DNNL_ARG_BIAS);

  private final String name;
  private final PointerScope scope;
  private final stream queue;
  private final engine cpu;
  private final primitive kernel;
  private final IntMemoryMap arguments;
  private final memory destination;
  private final memory.desc plain;

  /** What oneDNN says of itself: its version, and the instructions it uses here. */
  static String describe() {
    var version = dnnl.dnnl_version();
    return "oneDNN %d.%d.%d, %s"
        .formatted(
            version.major(),
            version.minor(),
            version.patch(),
            dnnl.get_effective_cpu_isa().toString());
  }

  private OneDnn(
      PointerScope scope,
      engine cpu,
      boolean bf16,
      primitive kernel,
      primitive_desc description,
      List<memory> operands,
      memory.desc plain) {
    this.name = "oneDNN " + (bf16 ? "BF16" : "F32");
    this.scope = scope;
    this.cpu = cpu;
    this.queue = new stream(cpu);
    this.kernel = kernel;
    this.plain = plain;
    this.destination = new memory(description.dst_desc(), cpu);
    this.arguments = new IntMemoryMap();
    for (int i = 0; i < ARGUMENTS.size(); i++) {
      arguments.put(ARGUMENTS.get(i), operands.get(i));
    }
    arguments.put(dnnl.DNNL_ARG_DST, destination);
    queue._wait();
  }

  /** A linear layer; with {@code bf16} both operands of the product are rounded to bfloat16. */
  static OneDnn matMul(MatMulProblem p, boolean bf16) {
    PointerScope scope = new PointerScope();
    try (PointerScope _ = scope.extend()) {
      engine cpu = new engine(engine.kind.cpu, 0);
      memory.data_type type = bf16 ? memory.data_type.bf16 : memory.data_type.f32;
      long[] x = {p.m(), p.k()};
      long[] w = {p.k(), p.n()};
      long[] b = {1, p.n()};
      memory.desc y = desc(memory.data_type.f32, memory.format_tag.ab, p.m(), p.n());
      var description =
          new matmul.primitive_desc(
              cpu,
              new memory.desc(x, type, memory.format_tag.ab),
              new memory.desc(w, type, memory.format_tag.any),
              new memory.desc(b, memory.data_type.f32, memory.format_tag.ab),
              y);
      // W is [n, k]: read as [k, n] it is stored column by column.
      List<memory> operands =
          List.of(
              stored(cpu, p.x(), memory.format_tag.ab, x, description.src_desc()),
              stored(cpu, p.weight(), memory.format_tag.ba, w, description.weights_desc()),
              stored(cpu, p.bias(), memory.format_tag.ab, b, description.weights_desc(1)));
      return new OneDnn(scope, cpu, bf16, new matmul(description), description, operands, y);
    }
  }

  /** A convolution. Upsampling is done before the clock starts. */
  static OneDnn convolution(ConvProblem p, boolean bf16) {
    PointerScope scope = new PointerScope();
    try (PointerScope _ = scope.extend()) {
      engine cpu = new engine(engine.kind.cpu, 0);
      memory.data_type type = bf16 ? memory.data_type.bf16 : memory.data_type.f32;
      memory.format_tag any = memory.format_tag.any;
      int zoom = p.upsample() ? 2 : 1;
      int height = zoom * p.height();
      int width = zoom * p.width();
      long[] x = {1, p.in(), height, width};
      long[] w = {p.out(), p.in(), p.kernel(), p.kernel()};
      long[] b = {p.out()};
      long[] y = {1, p.out(), height / p.stride(), width / p.stride()};
      var description =
          new convolution_forward.primitive_desc(
              cpu,
              dnnl.prop_kind.forward_inference,
              dnnl.algorithm.convolution_auto,
              new memory.desc(x, type, any),
              new memory.desc(w, type, any),
              new memory.desc(b, memory.data_type.f32, memory.format_tag.x),
              new memory.desc(y, type, any),
              new long[] {p.stride(), p.stride()},
              new long[] {p.padding().top(), p.padding().left()},
              new long[] {p.padding().bottom(), p.padding().right()});
      float[] picture = p.upsample() ? upsampled(p) : p.x();
      List<memory> operands =
          List.of(
              stored(cpu, picture, memory.format_tag.nchw, x, description.src_desc()),
              stored(cpu, p.weight(), memory.format_tag.oihw, w, description.weights_desc()),
              stored(cpu, p.bias(), memory.format_tag.x, b, description.weights_desc(1)));
      memory.desc plain = new memory.desc(y, memory.data_type.f32, memory.format_tag.nchw);
      return new OneDnn(
          scope, cpu, bf16, new convolution_forward(description), description, operands, plain);
    }
  }

  private static float[] upsampled(ConvProblem p) {
    int width = 2 * p.width();
    float[] picture = new float[4 * p.x().length];
    for (int i = 0; i < picture.length; i++) {
      int row = i / width;
      picture[i] = p.x()[row / 2 * p.width() + i % width / 2];
    }
    return picture;
  }

  private static memory.desc desc(memory.data_type type, memory.format_tag tag, long... dims) {
    return new memory.desc(dims, type, tag);
  }

  /** The values, in the layout and type that oneDNN asked for. */
  private static memory stored(
      engine cpu, float[] values, memory.format_tag tag, long[] dims, memory.desc wanted) {
    memory plain = new memory(new memory.desc(dims, memory.data_type.f32, tag), cpu);
    new FloatPointer(plain.get_data_handle()).put(values);
    memory packed = new memory(wanted, cpu);
    stream queue = new stream(cpu);
    new reorder(plain, packed).execute(queue, plain, packed);
    queue._wait();
    return packed;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double seconds() {
    long start = System.nanoTime();
    kernel.execute(queue, arguments);
    queue._wait();
    return (System.nanoTime() - start) * 1e-9;
  }

  @Override
  public float[] result() {
    try (PointerScope _ = new PointerScope()) {
      memory copy = new memory(plain, cpu);
      new reorder(destination, copy).execute(queue, destination, copy);
      queue._wait();
      float[] values = new float[Math.toIntExact(plain.get_size() / Float.BYTES)];
      new FloatPointer(copy.get_data_handle()).get(values);
      return values;
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
