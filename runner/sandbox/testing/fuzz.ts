/**
 * Evaluates random expressions: some well-formed, some broken, some from pieces that have been used to break out of sandboxes.
 * Prints how many ran and what went wrong, as JSON. Input: `{runs, seed}`.
 */
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { checkTemplate } from '../../engine/expression/syntax.ts';
import { createSandbox } from '../create-sandbox.ts';
import { TECHNIQUES } from '../escape/techniques.ts';
import { fakeView } from './fake-view.ts';

const { runs, seed } = JSON.parse(await text(process.stdin)) as { runs: number; seed: number };
const counts = { value: 0, undefined: 0, syntax: 0, failed: 0 };
const problems: string[] = [];
let reached = 0;
Object.assign(globalThis, { reached: () => (reached += 1) });

const word = fc.constantFrom(
  '$json', '$input', '$("In")', '$now', '$vars', '$if', 'Math', 'Object', 'DateTime', 'Intl', 'JSON', 'globalThis', 'this', 'x', 'constructor', '__proto__', 'prototype', 'a', 'b', 'l', 'first()', 'all()', 'item',
  'json', 'toTitleCase()', 'map((x) => x)', 'sort()', 'isEmpty()', 'call', 'apply', 'toString()', 'reached()', 'then', '1', '"s"', 'null', 'undefined', '[]', '{}', '({})', '(() => {})', '/r/g', '`t${1}`', 'new Date()', 'function () { return this }',
);
const glue = fc.constantFrom('.', '?.', ' + ', ', ', ' ', '[', ']', '(', ')', '["', '"]', ' => ', ' ? ', ' : ', ' = ', ' ?? ', '...', '{{', '}}', '\\', '"', "'", '`', '${', '//', '/*', '*/', '<!--', '-->', ';', '\n', ' instanceof ', ' in ', 'typeof ', 'delete ', 'new ', '\u2028', '\\u0061');
const soup = fc.array(fc.oneof(word, glue, fc.string({ maxLength: 5 }), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 14 }).map((parts) => parts.join(''));
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    word,
    fc.tuple(tie('expression'), word).map(([left, right]) => `${left}.${right}`),
    fc.tuple(tie('expression'), tie('expression')).map(([left, right]) => `(${left})[${right}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([left, right]) => `(${left})(${right})`),
    fc.tuple(tie('expression'), fc.constantFrom('+', '===', '&&', '??', ',', 'in'), tie('expression')).map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie('expression').map((inner) => `[${inner}].map((x) => ${inner})`),
    tie('expression').map((inner) => `({ a: ${inner}, get b() { return ${inner} }, toString: () => ${inner} })`),
    tie('expression').map((inner) => `(() => { try { return ${inner} } catch (e) { return e } })()`),
  ),
}));
const fragment = fc.tuple(fc.constantFrom(...TECHNIQUES.filter(({ kind }) => kind !== 'python').map(({ source }) => source)), fc.nat(200), fc.nat(200)).map(([source, from, length]) => source.slice(from, from + length));
const template = fc.oneof(soup, expression.map((code) => `{{ ${code} }}`), expression.map((code) => `a {{ ${code} }} b {{ ${code} }}`), soup.map((code) => `{{ ${code} }}`), fragment.map((code) => `{{ ${code} }}`));
const data = fc.object({ key: fc.constantFrom('a', 'b', 'l', '__proto__', 'constructor', 'toJSON', 'then', 'length'), maxDepth: 3 }).map((json) => JSON.parse(JSON.stringify(json)) as Record<string, unknown>);

const sandbox = createSandbox();
const PROBE = '{{ $json.s.toTitleCase() }} {{ ({}).polluted }} {{ $now.toLocaleString(DateTime.DATE_SHORT) }} {{ [2, 1].sort().join() }}';
const probe = (): unknown => sandbox.evaluate(PROBE, fakeView({ items: [{ json: { s: 'ab cd' } }] }), 0);
const healthy = probe();

function isPlain(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null || value instanceof Date) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === Array.prototype) && Object.values(Object.getOwnPropertyDescriptors(value)).every((each) => 'value' in each && isPlain(each.value));
}

function evaluateOne(source: string, json: Record<string, unknown>): void {
  const view = fakeView({ items: [{ json }] });
  const refused = checkTemplate(source);
  try {
    const value = sandbox.evaluate(source, view, 0);
    counts[value === undefined ? 'undefined' : 'value'] += 1;
    if (!isPlain(value)) problems.push(`${JSON.stringify(source)} gave ${inspect(value)}`);
    if (refused !== undefined) problems.push(`${JSON.stringify(source)} ran, although the check said: ${refused}`);
  } catch (error) {
    const { name, code } = error as { name: string; code: string };
    if (name !== 'WorkflowError') problems.push(`${JSON.stringify(source)} threw ${inspect(error)}`);
    counts[code === 'ExpressionSyntax' ? 'syntax' : 'failed'] += 1;
  }
}

fc.assert(
  fc.property(template, data, (source, json) => {
    evaluateOne(source, json);
  }),
  { numRuns: runs, seed },
);
if (probe() !== healthy) problems.push('left a trace');
if (reached > 0) problems.push(`reached the host's global object ${reached} times`);
process.stdout.write(JSON.stringify({ counts, problems }), () => process.exit(0));
