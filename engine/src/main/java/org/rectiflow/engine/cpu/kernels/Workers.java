package org.rectiflow.engine.cpu.kernels;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A fixed pool of threads that run the numbered tasks of one loop at a time, each with its own
 * {@link Scratch}.
 *
 * <p>The calling thread works too, so {@code new Workers(1)} starts no thread. Tasks are handed out
 * in ascending order from a counter; a task must write only what no other task writes, and then
 * results do not depend on the number of threads. Loops from several callers run one after the
 * other; a loop inside a task is refused.
 */
public final class Workers implements AutoCloseable {
  /** One numbered piece of a loop. */
  @FunctionalInterface
  public interface Task {
    /** Runs piece {@code index} with memory that belongs to the running thread. */
    void run(int index, Scratch scratch);
  }

  /**
   * How long a thread looks for work before it sleeps. To wake it costs some 40 microseconds, and
   * the next loop of a model mostly comes sooner than this.
   */
  private static final long SPIN_NANOS = 1_000_000;

  private final Thread[] helpers;
  private final Scratch[] scratch;
  private final Scratch shared = new Scratch();
  private final ReentrantLock lock = new ReentrantLock();
  private volatile Loop current;
  private volatile boolean closed;

  /**
   * Starts the pool.
   *
   * @param threads number of threads that work in a loop, the caller among them; at least 1
   */
  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("number of threads must be at least 1, found " + threads);
    }
    scratch = new Scratch[threads];
    helpers = new Thread[threads - 1];
    for (int i = 0; i < threads; i++) {
      scratch[i] = new Scratch();
    }
    for (int i = 0; i < helpers.length; i++) {
      Scratch own = scratch[i + 1];
      helpers[i] =
          Thread.ofPlatform()
              .daemon()
              .name("rectiflow-worker-" + (i + 1))
              .unstarted(() -> serve(own));
    }
    for (Thread t : helpers) {
      t.start();
    }
  }

  /** Number of threads that work in a loop. */
  public int threads() {
    return scratch.length;
  }

  /**
   * Runs {@code body} for every index in {@code 0..tasks-1} and returns when all are done. If a
   * task throws, the remaining ones are skipped and the first exception is thrown here.
   */
  public void parallelFor(int tasks, Task body) {
    if (lock.isHeldByCurrentThread()) {
      throw new IllegalStateException("parallelFor called from inside a task of the same pool");
    }
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the worker pool is closed");
      }
      if (tasks <= 0) {
        return;
      }
      if (helpers.length == 0 || tasks == 1) {
        for (int i = 0; i < tasks; i++) {
          body.run(i, scratch[0]);
        }
        return;
      }
      Loop loop = new Loop(tasks, body, Thread.currentThread());
      current = loop;
      for (Thread t : helpers) {
        LockSupport.unpark(t);
      }
      loop.work(scratch[0]);
      loop.awaitHelpers();
      current = null;
      if (loop.failure != null) {
        throw loop.failure;
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Memory that all tasks of the next loop may read and that one kernel call owns while it runs.
   * Only the calling thread may ask for it, between loops.
   */
  Scratch shared() {
    return shared;
  }

  /** Bytes of scratch memory held now, on and off heap, by all threads. */
  public long scratchBytes() {
    long sum = shared.bytes();
    for (Scratch s : scratch) {
      sum += s.bytes();
    }
    return sum;
  }

  /** Stops the threads and frees the scratch memory. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      for (Thread t : helpers) {
        LockSupport.unpark(t);
      }
      boolean interrupted = false;
      for (Thread t : helpers) {
        while (t.isAlive()) {
          try {
            t.join();
          } catch (InterruptedException e) {
            interrupted = true;
          }
        }
      }
      for (Scratch s : scratch) {
        s.close();
      }
      shared.close();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    } finally {
      lock.unlock();
    }
  }

  private void serve(Scratch own) {
    Loop done = null;
    while (true) {
      Loop loop = current;
      long idleSince = System.nanoTime();
      while (loop == null || loop == done) {
        if (closed) {
          return;
        }
        if (System.nanoTime() - idleSince < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
        loop = current;
      }
      loop.enter();
      loop.work(own);
      loop.leave();
      done = loop;
    }
  }

  private static final class Loop {
    private final int tasks;
    private final Task body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger helpersInside = new AtomicInteger();
    private final Thread caller;
    private volatile RuntimeException failure;

    Loop(int tasks, Task body, Thread caller) {
      this.tasks = tasks;
      this.body = body;
      this.caller = caller;
    }

    void work(Scratch scratch) {
      for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
        try {
          body.run(i, scratch);
        } catch (RuntimeException | Error e) {
          fail(e);
          return;
        }
      }
    }

    private synchronized void fail(Throwable e) {
      next.set(tasks);
      if (failure == null) {
        failure =
            e instanceof RuntimeException r ? r : new IllegalStateException("a task failed", e);
      }
    }

    /**
     * Before work, so that a helper with a task is always counted. One that wakes too late finds no
     * task left and nobody waits for it.
     */
    void enter() {
      helpersInside.incrementAndGet();
    }

    void leave() {
      if (helpersInside.decrementAndGet() == 0) {
        LockSupport.unpark(caller);
      }
    }

    void awaitHelpers() {
      long idleSince = System.nanoTime();
      boolean interrupted = false;
      while (helpersInside.get() != 0) {
        if (System.nanoTime() - idleSince < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
          interrupted |= Thread.interrupted();
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
