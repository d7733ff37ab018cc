/** One measured number and what to hold it against. */
export interface Figure {
  name: string;
  value: number;
  unit: 'ms' | 's' | '/s' | '/min' | 'MB' | 'x' | '%' | 'count' | 'bytes';
  /** What the project set out to reach, with its direction. */
  target?: { atMost: number } | { atLeast: number };
  /** The same thing done by somebody else, or the physical limit, measured in the same run. */
  beside?: { name: string; value: number };
}

export interface BenchmarkOptions {
  /** How often to measure; figures are medians. */
  runs: number;
  /** The value of each of the benchmark's flags. */
  flags: Readonly<Record<string, number>>;
  /** Tells people what is happening. */
  progress(text: string): void;
}

/** A measurement that anybody can repeat with `npm run bench -- NAME`. It starts and stops what it needs. */
export interface Benchmark {
  name: string;
  about: string;
  /** Numbers that may be given on the command line as `--NAME N`, and what they are otherwise. */
  flags?: Readonly<Record<string, number>>;
  /** It is one long run: there is no number of runs to choose. */
  once?: true;
  run(options: BenchmarkOptions): Promise<Figure[]>;
}

/** The middle value; the mean of the middle two for an even count. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The value below which a share of the values lie, by nearest rank: `percentile(latencies, 0.99)`. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
