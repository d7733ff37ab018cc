/**
 * Tries every technique in this process and prints what got out, as JSON. It runs in a process of its own, because the sandbox
 * freezes the built-ins of its process.
 */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { DateTime } from 'luxon';
import type { BinaryReference } from '../../engine/item.ts';
import { createSandbox } from '../create-sandbox.ts';
import { definitionOf, fakeView } from '../testing/fake-view.ts';
import { TECHNIQUES, type Technique } from './techniques.ts';

const CANARY = process.env.MILLRACE_CANARY ?? '';
const SECRET = 'secret-of-the-victim';
const GIVE_UP_MS = 1000;

const sandbox = createSandbox();
const reached: string[] = [];
let current = '';
Object.assign(globalThis, { reached: () => reached.push(current) });

const file = (id: string): BinaryReference => ({ id, mimeType: 'text/plain', size: 3, sha256: 'abc' });
const binaries = {
  read: () => Promise.reject(new Error('not for code')),
  put: () => Promise.resolve(file('new-file')),
  get: (reference: BinaryReference) => Promise.resolve(new TextEncoder().encode(reference.id === 'victim-file' ? SECRET : 'own')),
};
const SHARED = [1, 2];
const definition = definitionOf({ field: '={{ $json.a }}', shared: SHARED });
const definitionBefore = JSON.stringify(definition);
const victim = () => fakeView({ definition, executionId: 'victim', items: [{ json: { a: SECRET, s: 'hello world' }, binary: { f: file('victim-file') } }], variables: { region: 'north' } });

/** What an innocent execution computes. It must stay the same whatever ran before in this process. */
const PROBES = [
  '{{ $json.s.toTitleCase() }}', '{{ $now.toISO() }}', '{{ $now.setZone("Europe/Berlin").toLocaleString(DateTime.DATE_SHORT) }}', '{{ $now.startOf("week", { useLocaleWeeks: true }).toISODate() }}',
  '{{ $now.setLocale("fr").toFormat("cccc d LLLL yyyy") }}', '{{ Duration.fromObject({ days: 2 }).shiftTo("hours").hours }}', '{{ new Intl.NumberFormat("en-US").format(1234.5) }}',
  '{{ ({}).polluted }}{{ [].polluted }}{{ (() => {}).polluted }}', '{{ [3, 1, 2].map((x) => x * 2).join() }}', '{{ Math.max(1, 2) }}', '{{ JSON.stringify({ a: [1] }) }}', '{{ "x".hash() }}',
  '{{ $jmespath({ a: 1 }, "a") }}', '{{ /b/.exec("abc").index }}', '{{ $vars.region }}', '{{ $parameter.field }}', '{{ Object.keys($("In").params).join() }}', '{{ RegExp.lastMatch }}{{ RegExp.$1 }}', '{{ typeof trace }}',
];
const PROBE_CODE = `
  const errors = [() => Buffer.from('x', 'no such'), () => new TextDecoder('no such'), () => DateTime.fromMillis('x'), () => null.x].map((f) => { try { return f() } catch (e) { return String(e) + e.polluted + e.constructor.polluted } });
  const it = []; for (const x of [1, 2]) it.push(x); for await (const x of (async function* () { yield 3 })()) it.push(x);
  return [errors, it, await Promise.resolve(4), Buffer.from('aGk=', 'base64').toString(), typeof trace, typeof Buffer.trace, typeof require.cache, typeof globalThis.trace, $input.first().json, require('jmespath').search({ a: 5 }, 'a')];`;

async function probe(): Promise<string> {
  const expressions = PROBES.map((template) => sandbox.evaluate(template, victim(), 0));
  const code = await sandbox.runCode({ language: 'javaScript', source: PROBE_CODE, mode: 'all', itemIndex: 0, binaries, onConsole: () => undefined }, victim());
  return JSON.stringify([expressions, code]);
}

/** What host code in the same process sees. */
function probeHost(): string {
  const message = (run: () => unknown): string => {
    try {
      return String(run());
    } catch (error) {
      return String(error);
    }
  };
  return JSON.stringify([
    Object.getOwnPropertyNames(globalThis).length, inspect({ a: [1] }), message(() => Buffer.from('x', 'no such' as 'utf8')), message(() => new TextDecoder('no such')),
    message(() => new URL('x')), DateTime.fromMillis(0, { zone: 'Europe/Berlin' }).toISO(), Object.keys({}.constructor.prototype), [1].map(String), typeof process.exit, inspect.defaultOptions,
  ]);
}

/** Only data: no functions, accessors, proxies of anything, instances of classes. */
function impurity(value: unknown, path = 'result'): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `${path} is a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (inspect(value, { showProxy: true, depth: 0 }).startsWith('Proxy')) return `${path} is a proxy`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (![Object.prototype, Array.prototype, Date.prototype].includes(prototype as object)) return `${path} has a prototype of its own`;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (descriptor.get ?? descriptor.set) return `${path}.${key} is an accessor`;
    const problem = impurity(descriptor.value, `${path}.${key}`);
    if (problem) return problem;
  }
  return undefined;
}

async function attempt({ kind, source }: Technique): Promise<{ output: string; problems: string[] }> {
  const printed: string[] = [];
  const items = [{ json: { a: 'own', s: 'text', l: [1, 2], shared: SHARED }, binary: { f: file('own-file') } }];
  const itemsBefore = JSON.stringify(items);
  const staticData = {};
  const view = fakeView({ definition, executionId: 'attacker', items, variables: { region: 'south' }, staticData });
  let result: unknown;
  const problems: string[] = [];
  try {
    result = kind === 'expression'
      ? sandbox.evaluate(`{{ ${source} }}`, view, 0)
      : await sandbox.runCode({ language: kind === 'python' ? 'python' : 'javaScript', source, mode: 'all', itemIndex: 0, binaries, signal: AbortSignal.timeout(GIVE_UP_MS), onConsole: (_, text) => printed.push(text) }, view);
    problems.push(...[impurity(result), impurity(staticData, 'static data')].filter((each) => each !== undefined));
  } catch (error) {
    const { name, code, message, stack } = error as { name?: unknown; code?: unknown; message?: unknown; stack?: unknown };
    if (name !== 'WorkflowError' && name !== 'TimeoutError') problems.push(`an error of the wrong kind came out: ${String(name)}: ${String(message)} ${String(stack)}`);
    if (code === 'LeaseLost') problems.push('an error code was forged');
    result = String(message);
  }
  if (JSON.stringify(items) !== itemsBefore) problems.push('items of an earlier node were changed');
  return { output: `${inspect(result, { depth: 6 })}\n${printed.join('\n')}\n${JSON.stringify(staticData)}`, problems };
}

const before = { sandbox: await probe(), host: probeHost() };
const problems: string[] = [];
for (const each of TECHNIQUES) {
  current = `${each.kind}: ${each.name}`;
  const found = await attempt(each);
  const say = (problem: string): void => void problems.push(`${current}: ${problem}`);
  found.problems.forEach(say);
  if (found.output.includes(CANARY)) say('read the environment');
  if (found.output.includes(SECRET)) say('read data of another execution');
  if (found.output.includes(process.cwd()) || found.output.includes('file:') || found.output.includes('node:')) say(`saw paths of the host: ${found.output}`);
  if (JSON.stringify(definition) !== definitionBefore) say('changed the workflow definition');
  const after = { sandbox: await probe(), host: probeHost() };
  if (after.sandbox !== before.sandbox) say(`left a trace for later executions: ${after.sandbox}`);
  if (after.host !== before.host) say(`left a trace in the host: ${after.host}`);
}
// Timers and promises that were left behind would fire now.
await sleep(100);
problems.push(...reached.map((name) => `${name}: reached the host's global object`));
process.stdout.write(JSON.stringify({ techniques: TECHNIQUES.length, problems }), () => process.exit(0));
