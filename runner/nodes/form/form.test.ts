import { expect, test } from '@jest/globals';
import { execute } from '../../engine/engine.ts';
import type { JsonObject } from '../../engine/item.ts';
import { testHost } from '../../engine/testing/test-host.ts';
import { nodeTypes } from '../registry.ts';

const run = async (parameters: JsonObject) => {
  const host = testHost();
  const workflow = {
    id: 'test/form', name: 'form', nodes: [{ name: 'Start', type: 'formTrigger' }, { name: 'Page', type: 'form', parameters }],
    connections: [{ from: 'Start', output: 0, to: 'Page', input: 0, type: 'main' }],
  };
  const checkpoints: unknown[] = [];
  const responses: unknown[] = [];
  const recording = { ...host, commit: async (checkpoint: unknown) => { checkpoints.push(checkpoint); }, respond: async (response: unknown) => { responses.push(response); } };
  const result = await execute({ executionId: 'e', mode: 'Webhook', workflow, start: { node: 'Start', items: [{ json: { name: 'Ada' } }] } }, recording, nodeTypes);
  return { result, checkpoints, responses };
};

test('a page waits with its fields resolved', async () => {
  const { result, checkpoints } = await run({ formFields: { values: [{ fieldLabel: '={{ $json.name }}' }] }, options: { formTitle: 'Two' }, limitWaitTime: true, resumeAmount: 2, resumeUnit: 'minutes' });
  expect(result).toMatchObject({ status: 'Waiting', wait: { node: 'Page', on: 'form', until: 1_120_000 } });
  expect(checkpoints.at(-1)).toMatchObject({ waiting: { wait: { request: { parameters: { formFields: { values: [{ fieldLabel: 'Ada' }] }, options: { formTitle: 'Two' } } } } } });
});

test('fields may be JSON', async () => {
  expect((await run({ defineForm: 'json', jsonOutput: '[{"fieldLabel": "A"}]' })).result.status).toBe('Waiting');
  expect((await run({ defineForm: 'json', jsonOutput: '{}' })).result.error).toMatchObject({ code: 'InvalidJson', parameter: 'jsonOutput' });
});

test.each([
  [{ completionTitle: 'Done', completionMessage: '={{ $json.name }}' }, { status: 200, body: '{"title":"Done","message":"Ada"}' }],
  [{ respondWith: 'showText', responseText: 'ok' }, { body: '{"title":"","message":"ok"}' }],
  [{ respondWith: 'redirect', redirectUrl: 'https://a.example' }, { status: 303, headers: { location: 'https://a.example' } }],
])('completion %p', async (parameters, want) => {
  const { result, responses } = await run({ operation: 'completion', ...parameters });
  expect(result.status).toBe('Succeeded');
  expect(responses).toMatchObject([want]);
});
