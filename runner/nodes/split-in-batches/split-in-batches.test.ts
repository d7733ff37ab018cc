import { expect, test } from '@jest/globals';
import { executeLocally, createLocalHost } from '../../local-host.ts';
import type { ExecutionResult } from '../../engine/node-run.ts';
import { plainSandbox } from '../../engine/testing/plain-sandbox.ts';
import type { JsonObject } from '../../engine/item.ts';
import { nodeTypes } from '../registry.ts';

const loop = (typeVersion: number, parameters: JsonObject, outputs: { loop: number; done: number }): Promise<ExecutionResult> => executeLocally({
  executionId: 'e', mode: 'Manual', start: { node: 'Start', items: [1, 2, 3].map((v) => ({ json: { v } })) },
  workflow: {
    id: 'test/loop', name: 'loop',
    nodes: [
      { name: 'Start', type: 'manualTrigger', position: [0, 0] }, { name: 'Loop', type: 'splitInBatches', typeVersion, parameters, position: [100, 0] },
      { name: 'Body', type: 'noOp', position: [200, 100] }, { name: 'Done', type: 'noOp', position: [200, 0] },
    ],
    connections: [
      { from: 'Start', output: 0, to: 'Loop', input: 0, type: 'main' }, { from: 'Loop', output: outputs.loop, to: 'Body', input: 0, type: 'main' },
      { from: 'Body', output: 0, to: 'Loop', input: 0, type: 'main' }, { from: 'Loop', output: outputs.done, to: 'Done', input: 0, type: 'main' },
    ],
  },
}, createLocalHost({ sandbox: plainSandbox }), nodeTypes);

test.each([
  { version: 3, outputs: { loop: 1, done: 0 }, parameters: { batchSize: 2 }, passes: [[1, 2], [3]] },
  { version: 3, outputs: { loop: 1, done: 0 }, parameters: {}, passes: [[1], [2], [3]] },
  { version: 2, outputs: { loop: 0, done: 1 }, parameters: {}, passes: [[1, 2, 3]] },
])('version $version hands out $passes', async ({ version, outputs, parameters, passes }) => {
  const { runs, status } = await loop(version, parameters, outputs);
  const values = (node: string): unknown[][] => runs.filter((run) => run.node === node).map((run) => (run.outputs[0] ?? []).map(({ json }) => json.v));
  expect(status).toBe('Succeeded');
  expect(values('Body')).toEqual(passes);
  expect(values('Done')).toEqual([[1, 2, 3]]);
});

test('links what it hands out to where it came in, and what comes back to the body', async () => {
  const { runs } = await loop(3, { batchSize: 2 }, { loop: 1, done: 0 });
  const passes = runs.filter(({ node }) => node === 'Loop').map((run) => run.outputs.flatMap((items) => (items ?? []).map(({ pairedItem }) => pairedItem)));
  expect(passes).toEqual([
    [{ item: 0 }, { item: 1 }], [{ item: 2, source: { node: 'Start', output: 0, run: 0 } }],
    [{ item: 0, source: { node: 'Body', output: 0, run: 0 } }, { item: 1, source: { node: 'Body', output: 0, run: 0 } }, { item: 0, source: { node: 'Body', output: 0, run: 1 } }],
  ]);
});
