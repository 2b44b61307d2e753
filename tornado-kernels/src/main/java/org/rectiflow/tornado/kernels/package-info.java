/**
 * The kernels: Java methods that TornadoVM compiles for a device.
 *
 * <p>A kernel of independent elements is a pure static <em>lane</em> method, {@code xxxLane(...,
 * int lane)}, and a wrapper of two lines that gives it its index; a kernel whose lanes work
 * together (tiles in local memory, reductions) is written against {@code KernelContext} throughout.
 * Both run on the host too, which is how they are tested without a device.
 *
 * <p>Every kernel reads and writes {@code mem}, one array of floats on the device that holds
 * activations, small parameters and constants, and is told what to do by a {@link
 * org.rectiflow.tornado.kernels.Row} of ints. Nothing about a shape is compiled in, so a kernel is
 * compiled once however many layers and sizes use it.
 *
 * <p>What the kernel compiler miscompiles in silence shapes the style: no two parallel loops in a
 * method, no {@code Math.fma}, {@code floor} or {@code round}, no conversion of half floats by
 * library methods, no boolean arguments, no throws; scalars that change between runs come from an
 * array.
 */
package org.rectiflow.tornado.kernels;
