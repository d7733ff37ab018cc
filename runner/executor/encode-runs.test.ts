import { expect, test } from '@jest/globals';
import { decodePayload } from '../../store/payload.ts';
import type { ExecutionResult, NodeRun } from '../engine/node-run.ts';
import { withEncodedRuns } from './encode-runs.ts';

const run: NodeRun = { node: 'Start', runIndex: 0, status: 'success', source: [null], outputs: [[{ json: { n: 1 } }]], startedAt: 1, durationMs: 2 };
const result: ExecutionResult = { status: 'Succeeded', lastNode: 'Start', runs: [run, { ...run, status: 'error', error: { code: 'NodeFailed', message: 'broken' } }] };
const counts = { succeeded: 1, failed: 1 };

test.each([
  { success: 'All', want: result.runs },
  { success: 'Summary', want: [expect.objectContaining({ node: 'Start', items: [1] }), expect.objectContaining({ status: 'error' })] },
] as const)('$success: what the policy keeps is encoded, and nothing else goes along', async ({ success, want }) => {
  const { runs, encodedRuns, ...rest } = await withEncodedRuns(result, { success, failure: 'None' });
  expect({ runs, rest, counts: encodedRuns?.counts }).toEqual({ runs: [], rest: { status: 'Succeeded', lastNode: 'Start' }, counts });
  expect(decodePayload(Buffer.from(encodedRuns?.data ?? []))).toEqual(want);
});

test('what is not kept is counted', async () => {
  expect((await withEncodedRuns({ ...result, status: 'Failed' }, { success: 'All', failure: 'None' })).encodedRuns).toEqual({ counts });
});

test('runs that cannot be stored go as they are', async () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const broken = { ...result, runs: [{ ...run, outputs: [[{ json: circular as never }]] }] };
  expect(await withEncodedRuns(broken, { success: 'All', failure: 'All' })).toBe(broken);
});
