/** The parts of `npm test`, in the order in which they run: what fails fast comes first. */
export const PARTS = ['lint', 'typecheck', 'generated', 'unit', 'integration', 'coverage', 'e2e', 'soak'] as const;
export type Part = (typeof PARTS)[number];

/** Parts that jest runs, as projects of jest.config.js. */
export const JEST_PARTS = ['unit', 'integration', 'e2e', 'soak'] as const satisfies readonly Part[];
export type JestPart = (typeof JEST_PARTS)[number];

export interface RunArguments {
  readonly parts: readonly Part[];
  /** Only test files whose path contains one of these. */
  readonly names: readonly string[];
  /** Whether the cluster of the end-to-end tests stays up afterwards. */
  readonly keep: boolean;
}

export const USAGE = `usage: npm test [-- PART [NAME...] [--keep]]
  PART    ${PARTS.join(', ')}; all of them by default. coverage runs unit and integration first
  NAME    for ${JEST_PARTS.join(', ')}: only test files whose path contains NAME
  --keep  leave the cluster of the end-to-end tests running`;

/** Arguments that make no sense. The message ends with the usage. */
export class UsageError extends Error {
  constructor(problem: string) {
    super(`${problem}\n${USAGE}`);
    this.name = 'UsageError';
  }
}

/** Throws UsageError. */
export function parseRunArguments(args: readonly string[]): RunArguments {
  const keep = args.includes('--keep');
  const [part, ...names] = args.filter((arg) => arg !== '--keep');
  if (part === undefined) return { parts: PARTS, names: [], keep };
  const known = PARTS.find((each) => each === part);
  if (known === undefined) throw new UsageError(`There is no part ${part}.`);
  if (known === 'coverage' && names.length === 0) return { parts: ['unit', 'integration', 'coverage'], names, keep };
  if (names.length > 0 && !isJestPart(known)) throw new UsageError(`${known} takes no names.`);
  return { parts: [known], names, keep };
}

export function isJestPart(part: Part): part is JestPart {
  return JEST_PARTS.some((each) => each === part);
}
