/** Jobs that an `AbortSignal` stops. */

/** What can be stopped. */
interface Stoppable {
  cancel(reason: unknown): void;
}

/** One listener for all that a signal stops, in the order of their start. */
interface Listener {
  /** Weakly: a signal may live much longer than a job that was dropped. */
  readonly jobs: Set<WeakRef<Stoppable>>;
  readonly onAbort: () => void;
}

const listeners = new WeakMap<AbortSignal, Listener>();

/**
 * Stops a job when the signal is aborted: the last one first, as a job may wait for those before it, and must not begin when
 * they are stopped.
 *
 * @returns What ends that.
 */
export function stopOnAbort(signal: AbortSignal, job: Stoppable): () => void {
  const listener = listeners.get(signal) ?? listen(signal);
  const known = new WeakRef(job);
  listener.jobs.add(known);
  return () => {
    listener.jobs.delete(known);
    if (listener.jobs.size > 0) return;
    signal.removeEventListener("abort", listener.onAbort);
    listeners.delete(signal);
  };
}

function listen(signal: AbortSignal): Listener {
  const jobs: Listener["jobs"] = new Set();
  const onAbort = () => {
    for (const job of [...jobs].reverse()) job.deref()?.cancel(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const listener = { jobs, onAbort };
  listeners.set(signal, listener);
  return listener;
}
