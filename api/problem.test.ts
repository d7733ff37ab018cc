import { expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliProblems } from '../cli/cli-error.ts';
import { ApiError, problemBody, problems } from './problem.ts';

const root = join(import.meta.dirname, '..');
const documentation = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const rows = documentation.split('\n').filter((line) => line.startsWith('| `'));

test('docs/errors.md has every code of the API with its status and advice', () => {
  for (const [code, { status, advice }] of Object.entries(problems)) expect(rows).toContain(`| \`${code}\` | ${status} | ${advice} |`);
});

test('docs/errors.md has every code of the command line with its exit status', () => {
  for (const [code, { exit }] of Object.entries(cliProblems)) expect(rows).toContainEqual(expect.stringContaining(`| \`${code}\` | ${exit} |`));
});

test('docs/errors.md has every code that executions end with', () => {
  const files = globSync('runner/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|\/testing\//.test(file));
  const used = files.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/new WorkflowError\(\s*'([A-Z]\w+)'/g)].map(([, code]) => code ?? ''));
  const documented = new Set([...documentation.matchAll(/`([A-Z]\w+)`/g)].map(([, code]) => code ?? ''));
  expect(used.length).toBeGreaterThan(50);
  expect(used.filter((code) => !documented.has(code))).toEqual([]);
});

test('a refusal says what is wrong, what to do and which request it was', () => {
  const error = new ApiError('BodyTooLarge', 'The body is larger than 10 bytes.', { details: { limit: 10 } });
  expect(problemBody(error, 'r-1')).toEqual({
    error: { code: 'BodyTooLarge', message: `The body is larger than 10 bytes. ${problems.BodyTooLarge.advice}`, details: { limit: 10 }, requestId: 'r-1' },
  });
});
