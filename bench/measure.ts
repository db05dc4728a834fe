/** Times that are taken by turns, and what is told of them. */

/** What a row of a benchmark says. */
export interface Measured {
  /** What was measured. */
  readonly name: string;
  /** How large it was, in rows; 0 where that means nothing. */
  readonly rows: number;
  /** What it was measured against. */
  readonly against: string;
  /** Microseconds of each side: median and 99th percentile. */
  readonly ours: readonly [number, number];
  readonly theirs: readonly [number, number];
  /** Median of the ratios of the turns, ours to theirs. */
  readonly ratio: number;
  /** The ratio of the two 99th percentiles. */
  readonly ratio99: number;
  /** The most, or with `atLeast` the least, that the ratio may be. */
  readonly bound?: number;
  readonly atLeast?: boolean;
}

/** The value below which so much of them lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

/** The median. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** One side of a comparison: `run` is timed, `done` is not. */
export interface Side<T> {
  /** Done before each time that is taken. */
  readonly before?: () => void;
  /** What is timed. */
  readonly run: () => T;
  /** What becomes of the result. */
  readonly done?: (result: T) => void;
}

/** Lets the event loop turn, so that finalizers run. */
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** How long each side takes, in microseconds, of turns in which each runs once. */
export async function alternate<A, B>(
  ours: Side<A>,
  theirs: Side<B>,
  turns: number,
): Promise<{ ours: number[]; theirs: number[] }> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  const take = <T>({ before, run, done }: Side<T>): number => {
    before?.();
    const started = performance.now();
    const result = run();
    const micros = 1000 * (performance.now() - started);
    done?.(result);
    return micros;
  };
  const warmUp = Math.ceil(turns / 4);
  for (let index = -warmUp; index < turns; index++) {
    // Neither side always comes second.
    const first = index % 2 === 0;
    const early = first ? take(ours) : take(theirs);
    const late = first ? take(theirs) : take(ours);
    if (index >= 0) {
      times.ours.push(first ? early : late);
      times.theirs.push(first ? late : early);
    }
    if (index % 50 === 0) await turn();
  }
  return times;
}

/** What a comparison says. */
export function compare(
  name: string,
  rows: number,
  against: string,
  times: { readonly ours: readonly number[]; readonly theirs: readonly number[] },
  bound: Pick<Measured, "bound" | "atLeast"> = {},
): Measured {
  const sides = (values: readonly number[]): [number, number] => [
    median(values),
    quantile(values, 0.99),
  ];
  const [ours, theirs] = [sides(times.ours), sides(times.theirs)];
  return {
    name,
    rows,
    against,
    ours,
    theirs,
    ratio: median(times.ours.map((ours, index) => ours / times.theirs[index]!)),
    ratio99: ours[1] / theirs[1],
    ...bound,
  };
}
