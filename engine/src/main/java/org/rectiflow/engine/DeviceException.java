package org.rectiflow.engine;

/**
 * A device that cannot do what it must: a kernel that does not compile or did not run, too little
 * memory. The message is for people: it names the kernel or the numbers, and what to do.
 */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
