import { expect, test } from '@jest/globals';
import { testHost } from '../../engine/testing/test-host.ts';
import { execute } from '../../engine/engine.ts';
import type { JsonObject } from '../../engine/item.ts';
import { nodeTypes } from '../registry.ts';

const wait = async (parameters: JsonObject, typeVersion = 1.1, timezone = 'UTC') => {
  const host = testHost();
  const workflow = {
    id: 'test/wait', name: 'wait', settings: { timezone },
    nodes: [{ name: 'Start', type: 'manualTrigger' }, { name: 'Wait', type: 'wait', typeVersion, parameters }],
    connections: [{ from: 'Start', output: 0, to: 'Wait', input: 0, type: 'main' }],
  };
  const result = await execute({ executionId: 'e', mode: 'Manual', workflow, start: { node: 'Start', items: [{ json: { a: 1 } }] } }, host, nodeTypes);
  return { result, host };
};

test('sleeps through short waits and hands its items on', async () => {
  const { result, host } = await wait({ amount: 64, unit: 'seconds' });
  expect(host.slept).toEqual([64_000]);
  expect(result).toMatchObject({ status: 'Succeeded', runs: [{}, { outputs: [[{ json: { a: 1 } }]] }] });
});

test.each([
  { name: 'long waits', parameters: { amount: 65 }, version: 1.1, want: { until: 1_065_000 } },
  { name: 'the default of version 1', parameters: {}, version: 1, want: { until: 4_600_000 } },
  { name: 'a time in the timezone of the workflow', parameters: { resume: 'specificTime', dateTime: '2024-01-01T00:00:00' }, version: 1.1, want: { until: Date.parse('2024-01-01T05:00:00Z') } },
  { name: 'a time with a zone', parameters: { resume: 'specificTime', dateTime: '2024-01-01T00:00:00Z' }, version: 1.1, want: { until: Date.parse('2024-01-01T00:00:00Z') } },
  { name: 'a request', parameters: { resume: 'webhook' }, version: 1.1, want: { on: 'webhook' } },
  { name: 'a form for a time', parameters: { resume: 'form', limitWaitTime: true, resumeAmount: 2, resumeUnit: 'minutes' }, version: 1.1, want: { on: 'form', until: 1_120_000 } },
])('persists $name', async ({ parameters, version, want }) => {
  const { result } = await wait(parameters, version, 'America/New_York');
  expect(result).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', ...want } });
});

test.each([[{ amount: 1, unit: 'moons' }, 'DurationInvalid'], [{ resume: 'specificTime', dateTime: 'soon' }, 'InvalidDate']])('refuses %p', async (parameters, code) => {
  expect((await wait(parameters)).result.error).toMatchObject({ code, node: 'Wait' });
});
