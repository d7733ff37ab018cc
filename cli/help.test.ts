import { expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { millrace } from './testdata/memory-terminal.ts';

const golden = join(import.meta.dirname, 'testdata/help.txt');
const commands = [[], ['run'], ['validate'], ['trigger'], ['listen'], ['activate'], ['deactivate'], ['runs'], ['runs', 'list'], ['runs', 'get'], ['runs', 'watch'], ['runs', 'logs'], ['runs', 'cancel'], ['runs', 'retry'], ['completion']];

/** After a change on purpose: MILLRACE_UPDATE_GOLDEN=1, and read the difference. */
test('the help texts are those that people know', async () => {
  const texts = [];
  for (const command of commands) texts.push(`$ millrace ${[...command, '--help'].join(' ')}\n${(await millrace([...command, '--help'])).out}`);
  const text = texts.join('\n');
  if (process.env['MILLRACE_UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});

test.each([
  { words: ['ru'], want: ['run', 'runs'] },
  { words: ['runs', ''], want: ['list', 'get', 'watch', 'logs', 'cancel', 'retry', 'help'] },
  { words: ['runs', 'watch', '--na'], want: ['--namespace'] },
  { words: ['runs', 'watch', 'abc', '--na'], want: ['--namespace'] },
  { words: ['-n', 'shop', 'listen', '--se'], want: [] },
])('completes $words for kubectl', async ({ words, want }) => {
  const { out, exit } = await millrace(['__complete', ...words], { name: 'kubectl millrace' });
  const lines = out.trimEnd().split('\n');
  expect(exit).toBe(0);
  expect(lines.pop()).toBe(':4');
  expect(lines.map((line) => line.split('\t')[0])).toEqual(want);
});
