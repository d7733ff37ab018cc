import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { millrace } from './testdata/memory-terminal.ts';

const manifest = join(import.meta.dirname, 'testdata/order-intake.yaml');
const failing = join(import.meta.dirname, 'testdata/out-of-stock.json');

/** Starting a process takes long on a busy machine. */
const startMs = 60_000;

/** The program as its own process: running workflows needs the hardened realm that no test should get. */
async function program(...args: string[]): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], (error, out, err) => resolve({ exit: Number(error?.code ?? 0), out, err }));
    child.stdin?.end('[{"price": 70}, {"price": 3}]');
  });
}

test('run executes a manifest, node by node, and prints what came last', async () => {
  const { exit, out, err } = await program('run', manifest, '--input', '@-');
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  const [header, ...rows] = out.split('\n').slice(0, 4).map((row) => row.trim().split(/ {2,}/));
  expect(header).toEqual(['NODE', 'RUN', 'STATUS', 'ITEMS', 'TIME', 'ERROR']);
  expect(rows.map((row) => row.slice(0, 4))).toEqual([['Start', '0', 'success', '2'], ['Total', '0', 'success', '2'], ['Big?', '0', 'success', '1, 1']]);
  expect(out).toContain('Big?:\n{\n  "total": 140\n}\n\nBig? (output 1):\n{\n  "total": 6\n}\n\nSucceeded\n');
}, startMs);

test('run stops after a node, and prints the whole result as JSON when asked', async () => {
  const { exit, out } = await program('run', manifest, '--input', '{"price": 1}', '--until', 'Total', '-o', 'json');
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'Succeeded', lastNode: 'Total', runs: [{ node: 'Start' }, { node: 'Total', outputs: [[{ json: { total: 2 } }]] }] });
}, startMs);

test('a run that fails exits 1 and says where', async () => {
  const { exit, out, err } = await program('run', failing);
  expect(exit).toBe(1);
  expect(out).toMatch(/^Stop +0 +error +0 +\S+ +\w+: out of stock$/m);
  expect(err).toMatch(/^ExecutionFailed: \w+ in Stop: out of stock\n$/);
}, startMs);

const workflow = (spec: string) => `apiVersion: millrace.dev/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec: ${spec}\n`;
const n8n = JSON.stringify({ name: 'From n8n', nodes: [{ name: 'Start', type: 'n8n-nodes-base.manualTrigger', position: [0, 0], parameters: {} }], connections: {} });

test.each([
  { name: 'a manifest', text: undefined, exit: 0, err: /The file is valid/ },
  { name: 'an n8n export', text: n8n, exit: 0, err: /The file is valid/ },
  { name: 'a draft with an unknown node type', text: workflow('{nodes: [{name: S, type: manualTrigger}, {name: A, type: sett}]}'), exit: 0, out: /f.yaml: warning: UnknownNodeType: A: .*'set'/ },
  { name: 'the same, active', text: workflow('{active: true, nodes: [{name: S, type: manualTrigger}, {name: A, type: sett}]}'), exit: 1, out: /f.yaml: error: UnknownNodeType: A: / },
  { name: 'a broken expression', text: workflow('{nodes: [{name: S, type: manualTrigger}, {name: A, type: set, parameters: {x: "={{ 1 + }}"}}]}'), exit: 1, out: /error: ExpressionSyntax: A: x: / },
  { name: 'a field that is misspelt', text: workflow('{nodse: []}'), exit: 1, out: /error: InvalidManifest: (.|\n)*nodse/ },
  { name: 'another kind only', text: 'apiVersion: v1\nkind: ConfigMap\n', exit: 1, out: /error: InvalidManifest: f.yaml holds neither/ },
  { name: 'what is no YAML', text: 'a: [', exit: 1, out: /error: InvalidManifest: f.yaml is neither YAML nor JSON/ },
])('validate $name', async ({ text, exit, out, err }) => {
  const result = await millrace(['validate', 'f.yaml'], { files: { 'f.yaml': text ?? (await readFile(manifest, 'utf8')) } });
  expect({ ...result, exit: result.exit }).toMatchObject({ exit });
  if (out) expect(result.out).toMatch(out);
  if (err) expect(result.err).toMatch(err);
});

test('validate looks at every file, counts warnings when strict, and prints JSON', async () => {
  const files = { 'a.yaml': workflow('{nodes: [{name: A, type: sett}]}'), 'b.yaml': 'a: [' };
  const result = await millrace(['validate', 'a.yaml', 'b.yaml', 'c.yaml', '-o', 'json'], { files });
  expect(result.exit).toBe(1);
  const findings = JSON.parse(result.out) as { source: string }[];
  expect(new Set(findings.map(({ source }) => source))).toEqual(new Set(['a.yaml', 'b.yaml', 'c.yaml']));
  expect((await millrace(['validate', 'a.yaml'], { files })).exit).toBe(0);
  expect((await millrace(['validate', '--strict', 'a.yaml'], { files })).exit).toBe(1);
});

test.each([
  { args: ['run', 'missing.yaml'], exit: 2, err: /^FileUnreadable: / },
  { args: ['run', 'two.yaml'], exit: 2, err: /choose one with --workflow: default\/a, default\/b/ },
  { args: ['run', 'two.yaml', '-w', 'c'], exit: 2, err: /no workflow c/ },
  { args: ['run', 'two.yaml', '-w', 'a'], exit: 2, err: /no trigger to start from/ },
  { args: ['run', 'two.yaml', '-w', 'b'], exit: 2, err: /several triggers: name the one to start from \('S', 'T'\). --start/ },
  { args: ['run', 'two.yaml', '-w', 'b', '--start', 'X'], exit: 2, err: /no node 'X'/ },
  { args: ['run', 'two.yaml', '-w', 'b', '--start', 'S', '--until', 'X'], exit: 2, err: /no node "X"/ },
  { args: ['run', 'two.yaml', '-w', 'b', '--start', 'S', '-i', '{'], exit: 2, err: /^InvalidInput: / },
  { args: ['run', 'two.yaml', '-w', 'b', '--start', 'S', '-i', '[1]'], exit: 2, err: /^InvalidInput: / },
  { args: ['rnu'], exit: 2, err: /Did you mean run/ },
  { args: ['run'], exit: 2, err: /missing required argument/ },
  { args: ['trigger', 'a', '--wait', '1000'], exit: 2, err: /Give 1 to 100 seconds/ },
  { args: ['--help'], exit: 0, err: /^$/ },
])('millrace $args exits $exit', async ({ args, exit, err }) => {
  const two = `${workflow('{nodes: [{name: A, type: set}]}')}---\n${workflow('{nodes: [{name: S, type: manualTrigger, disabled: false}, {name: T, type: webhook}]}').replace('name: a', 'name: b').replace('manualTrigger', 'webhook')}`;
  const result = await millrace(args, { files: { 'two.yaml': two } });
  expect({ exit: result.exit, err: result.err }).toEqual({ exit, err: expect.stringMatching(err) });
});

test.each(['bash', 'zsh', 'fish'])('completion for %s knows commands and flags', async (shell) => {
  const { exit, out } = await millrace(['completion', shell], { name: 'kubectl millrace' });
  expect(exit).toBe(0);
  for (const word of ['validate', 'runs', 'cancel', 'service-account']) expect(out).toContain(word);
  expect(out).not.toContain('kubectl');
});
