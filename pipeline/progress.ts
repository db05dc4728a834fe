/** Telling a caller how far some work has come. */

const PROGRESS_MILLIS = 100;

/**
 * Calls `report` a few times a second while `work` runs, and once when it is done. What `report` throws goes to `cancel`
 * while the work runs, and afterwards is thrown; a result that nobody is given then is disposed of.
 */
export async function withProgress<T>(
  report: (() => void) | undefined,
  cancel: (reason: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  if (report === undefined) return await work();
  const timer = setInterval(() => {
    try {
      report();
    } catch (reason) {
      cancel(reason); // out of a timer it would end the process
    }
  }, PROGRESS_MILLIS);
  try {
    const result = await work();
    try {
      report();
    } catch (reason) {
      (result as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
      throw reason;
    }
    return result;
  } finally {
    clearInterval(timer);
  }
}
