import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('run.ts', import.meta.url));
const own = fileURLToPath(new URL('cases', import.meta.url));
const given = process.env['MILLRACE_CONFORMANCE'] ?? fileURLToPath(new URL('../../../shared/conformance', import.meta.url));

/** Runs the harness, every case also through its crashes. */
function conformance(suite: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, suite, '--crash'], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error ? 1 : 0, output: stdout + stderr });
    });
  });
}

test('our own cases', async () => {
  const { code, output } = await conformance(own);
  expect(output.trimEnd().split('\n').at(-1)).toMatch(/^\d+ passed, 0 failed$/);
  expect(code).toBe(0);
}, 120_000);

if (existsSync(given)) {
  test('the suite recorded from n8n', async () => {
    const { code, output } = await conformance(given);
    const failures = output.split('\n').filter((line) => line.startsWith('FAIL'));
    expect(failures).toEqual([]);
    expect(code).toBe(0);
    console.log(output.split('\n').slice(-2).join('\n').trim());
  }, 300_000);
} else {
  console.log(`There is no conformance suite at ${given}; MILLRACE_CONFORMANCE may name one. Only our own cases ran.`);
}
