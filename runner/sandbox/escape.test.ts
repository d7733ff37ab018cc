import { expect, test } from '@jest/globals';
import { inChild } from './testing/in-child.ts';

const TIMEOUT_MS = 240_000;

test('no technique gets out or leaves a trace', async () => {
  const { techniques, problems } = await inChild<{ techniques: number; problems: string[] }>(new URL('escape/attack.ts', import.meta.url), {
    env: { MILLRACE_CANARY: 'canary-in-the-environment' },
  });
  console.log(`${techniques} escape techniques tried`);
  expect(problems).toEqual([]);
  expect(techniques).toBeGreaterThan(240);
}, TIMEOUT_MS);

test('two executions share no object that either could change', async () => {
  const { visited, shared } = await inChild<{ visited: number; shared: string[] }>(new URL('escape/shared-state.ts', import.meta.url));
  console.log(`${visited} objects looked at`);
  expect(shared).toEqual([]);
  expect(visited).toBeGreaterThan(5000);
}, TIMEOUT_MS);
