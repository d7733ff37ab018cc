import { describe, expect, test } from '@jest/globals';
import type { Assignment } from '../executor/protocol.ts';
import { ExitCause, type ExecutorExit } from './executor-process.ts';
import { verdict } from './verdict.ts';

function assignment(executionId: string): Assignment {
  return {
    id: `${executionId}/1`, executionId, workflowId: 'shop/orders', revision: 'r1', mode: 'Webhook', save: { success: 'All', failure: 'All' }, start: { node: 'Hook', items: [] },
    checkpoints: [], staticData: { global: {}, nodes: {} }, resumeToken: 't', clockOffsetMs: 0,
  };
}
const [a, b] = [assignment('a'), assignment('b')];

describe('verdict', () => {
  const rows: { name: string; exit: ExecutorExit; alone?: boolean; failed?: string; code?: string; node?: string; suspects: string[] }[] = [
    { name: 'a stall is blamed on the code that ran last', exit: { cause: ExitCause.Stalled, running: [a, b], current: { executionId: 'b', node: 'Loop' } }, failed: 'b', code: 'ExecutionStalled', node: 'Loop', suspects: ['a'] },
    { name: 'a stall without a trace leaves suspects', exit: { cause: ExitCause.Stalled, running: [a, b], current: undefined }, suspects: ['a', 'b'] },
    { name: 'memory used by several blames nobody yet', exit: { cause: ExitCause.MemoryLimit, running: [a, b], current: { executionId: 'b', node: 'Big' } }, suspects: ['a', 'b'] },
    { name: 'memory used by one blames it', exit: { cause: ExitCause.MemoryLimit, running: [a], current: { executionId: 'a', node: 'Big' } }, failed: 'a', code: 'MemoryLimitExceeded', node: 'Big', suspects: [] },
    { name: 'a crash while alone blames it, the node being unknown', exit: { cause: ExitCause.Crashed, running: [a], current: { executionId: 'old', node: 'X' } }, alone: true, failed: 'a', code: 'ExecutorCrashed', suspects: [] },
    { name: 'an idle executor that died blames nobody', exit: { cause: ExitCause.Crashed, running: [], current: undefined }, suspects: [] },
    { name: 'a stop on purpose blames nobody', exit: { cause: ExitCause.Stopped, running: [a], current: undefined }, suspects: ['a'] },
  ];
  test.each(rows)('$name', ({ exit, alone, failed, code, node, suspects }) => {
    const got = verdict(exit, alone ?? false);
    expect(got.failed?.assignment.executionId).toBe(failed);
    expect(got.failed?.failure.code).toBe(code);
    expect(got.failed?.failure.node).toBe(node);
    expect(got.suspects.map((suspect) => suspect.executionId)).toEqual(suspects);
  });
});
