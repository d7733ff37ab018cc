import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

test('hands items and files on', async () => {
  const binary = { f: { id: 'x', mimeType: 'text/plain', size: 1, sha256: 'y' } };
  expect((await runNode({ type: 'noOp', inputs: [[{ json: { a: 1 }, binary }, { json: {} }]] })).outputs).toEqual([[{ json: { a: 1 }, binary, pairedItem: { item: 0 } }, { json: {}, pairedItem: { item: 1 } }]]);
});
