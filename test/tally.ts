/** How many tests passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

/** A check without tests of its own counts as one. */
export function tallyOfCheck(passed: boolean): Tally {
  return { ...NOTHING, [passed ? 'passed' : 'failed']: 1 };
}

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }), NOTHING);
}

/** The closing line that CI reads. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${String(passed)} passed, ${String(failed)} failed${skipped > 0 ? `, ${String(skipped)} skipped` : ''}`;
}

/**
 * What jest's `--json` file says. A test file that could not even be loaded counts as one failed test. No file, or a
 * file of another form, means that jest did not get that far: one failure.
 */
export function tallyOfJest(text: string | undefined): Tally {
  const report: unknown = text === undefined ? undefined : JSON.parse(text);
  if (typeof report !== 'object' || report === null) return tallyOfCheck(false);
  const fields = new Map<string, unknown>(Object.entries(report));
  const count = (name: string): number => Number(fields.get(name) ?? 0);
  return {
    passed: count('numPassedTests'),
    failed: count('numFailedTests') + count('numRuntimeErrorTestSuites'),
    skipped: count('numPendingTests') + count('numTodoTests'),
  };
}
