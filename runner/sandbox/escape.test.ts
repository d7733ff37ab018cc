import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;

/** The sandbox freezes the built-ins of its process, so it is attacked in a process of its own. */
async function inItsOwnProcess(script: string): Promise<Record<string, unknown>> {
  const path = fileURLToPath(new URL(`escape/${script}`, import.meta.url));
  const { stdout } = await run(process.execPath, [path], { env: { MILLRACE_CANARY: 'canary-in-the-environment' }, maxBuffer: 1e8 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('no technique gets out or leaves a trace', async () => {
  const { techniques, problems } = await inItsOwnProcess('attack.ts');
  console.log(`${String(techniques)} escape techniques tried`);
  expect(problems).toEqual([]);
  expect(techniques).toBeGreaterThan(200);
}, TIMEOUT_MS);

test('two executions share no object that either could change', async () => {
  const { visited, shared } = await inItsOwnProcess('shared-state.ts');
  console.log(`${String(visited)} objects looked at`);
  expect(shared).toEqual([]);
  expect(visited).toBeGreaterThan(5000);
}, TIMEOUT_MS);
