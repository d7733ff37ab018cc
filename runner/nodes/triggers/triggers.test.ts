import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { createLocalHost, executeLocally } from '../../local-host.ts';
import { plainSandbox } from '../../engine/testing/plain-sandbox.ts';
import { nodeTypes } from '../registry.ts';

async function trigger(type: string, parameters: JsonObject, items: JsonObject[]): Promise<unknown> {
  const workflow = { id: 'test/t', name: 't', nodes: [{ name: 'T', type, parameters }], connections: [] };
  const start = { node: 'T', items: items.map((json) => ({ json })) };
  const { runs } = await executeLocally({ executionId: 'e', workflow, mode: 'Webhook', start }, createLocalHost({ sandbox: plainSandbox }), nodeTypes);
  return runs[0]?.outputs;
}

test.each(['manualTrigger', 'webhook', 'executeWorkflowTrigger', 'errorTrigger'])('%s gives out what it was started with, or one empty item', async (type) => {
  const parameters = { inputSource: 'passthrough' };
  expect(await trigger(type, parameters, [{ a: 1 }])).toEqual([[{ json: { a: 1 }, pairedItem: { item: 0 } }]]);
  expect(await trigger(type, parameters, [])).toEqual([[{ json: {}, pairedItem: { item: 0 } }]]);
});

test('a schedule gives out its tick; started by hand, the present', async () => {
  expect(await trigger('scheduleTrigger', {}, [{ timestamp: 'then' }])).toEqual([[{ json: { timestamp: 'then' }, pairedItem: { item: 0 } }]]);
  expect(await trigger('scheduleTrigger', {}, [{}])).toEqual([[{ json: expect.objectContaining({ Timezone: 'UTC (UTC+00:00)' }), pairedItem: { item: 0 } }]]);
});

test('a webhook with several methods has an output for each', async () => {
  const given = { multipleMethods: true, httpMethod: ['GET', 'POST'] };
  expect(await trigger('webhook', given, [{ method: 'POST' }])).toEqual([[], [{ json: { method: 'POST' }, pairedItem: { item: 0 } }]]);
});
