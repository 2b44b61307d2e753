/**
 * The backend that runs graphs on what TornadoVM drives: GPUs through OpenCL, PTX or SPIR-V, and
 * CPUs through OpenCL.
 *
 * <p>{@link org.rectiflow.tornado.Lowering} turns a graph into a list of kernel launches; {@link
 * org.rectiflow.tornado.Residents} says what lies where on the device; {@link
 * org.rectiflow.tornado.DeviceProgram} is TornadoVM's side: one task graph for each kernel, all on
 * the same arrays. TornadoVM's types occur in this package and its kernels only.
 */
package org.rectiflow.tornado;
