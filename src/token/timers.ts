/** Delayed calls as a dependency, so that tests move time and never wait for it. */
export interface Timers {
  /** Calls `callback` once after `delayMs`. Returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Node's timers. They do not keep the process alive. */
export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Settles as `promise` does, or rejects with `late()` after `delayMs`. What `promise` does later is not lost, only not waited for. */
export function within<T>(timers: Timers, delayMs: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(delayMs, () => reject(late()));
    promise.then(resolve, reject).finally(cancel);
  });
}
