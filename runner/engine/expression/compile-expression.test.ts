import { expect, test } from '@jest/globals';
import { compileExpression } from './compile-expression.ts';

const names = { roots: new Set(['$json', '$']), constants: new Set(['Math', 'Object', 'Array']), methods: new Set(['first', 'isEmpty']) };
const compiled = (code: string) => compileExpression(code, names);
const bodyOf = (code: string) => compiled(code)?.source.replace(/^.*?\) => \(\w+\) => /, '').replaceAll(/^\(|\n\)$/g, '');

test.each([
  ['$json.a', 'scope.$json.a'],
  ['{ $json }', '{ $json: scope.$json }'],
  ['(($json) => $json)(1)', '(($json) => $json)(1)'],
  ['a.first()', 'method(a, "first")()'],
  ['a["first"](1)', 'method(a, "first")(1)'],
  ['a[first]()', 'a[first]()'],
  ['a.first().first()', 'method(method(a, "first")(), "first")()'],
  ['a?.first().b', 'method(a, "first", true)?.().b'],
  ['a?.b.first()', 'method(a?.b, "first", true)?.()'],
  ['(a?.b).first()', 'method((a?.b), "first")()'],
  ['a.first?.()', 'a.first?.()'],
  ['[$json.a].map((x) => x.first($json))', '[scope.$json.a].map((x) => method(x, "first")(scope.$json))'],
  ['`${$json.a}`', '`${scope.$json.a}`'],
  ['arguments', '(void 0)'],
  ['"<!--"', '"\\x3c!--"'],
  ['a /* <!-- */ .first()', 'method(a, "first")()'],
  ['a<!--b', 'a< !--b'],
])('%s', (code, want) => {
  expect(bodyOf(code)).toBe(want);
});

test('names of the compiled source are never those of the expression', () => {
  expect(compiled('scope + method + $json')?.source).toBe('(method_) => (scope_) => (scope + method + scope_.$json\n)');
});

test('constants are parameters', () => {
  expect(compiled('Math.max(Math.PI, nope)')).toMatchObject({ constants: ['Math'], source: '(method, Math) => (scope) => (Math.max(Math.PI, nope)\n)' });
});

test('nothing but a comment is no expression', () => {
  expect(compiled(' /* x */ ')).toBeUndefined();
});

test.each([
  ['$json.a.b + 1', false], ['$json.l.map((x) => x.y).filter(Boolean)', false], ['Object.keys($json)', false], ['Array.isArray($json)', false], ['(() => { let t = 0; t += 1; return t })()', false],
  ['$("X").first().json.a', false], ['new Date()', false],
  ['$json.a = 1', true], ['$json.a++', true], ['delete $json.a', true], ['$json.l.sort()', true], ['$json.l["push"](1)', true], ['Object.assign($json, {})', true], ['$json.l[m]()', true],
  ['[$json.a] = [1]', true], ['$json.l.map(Object.assign)', true], ['f.call($json)', true], ['$json["__proto__"]', true], ['tag`x`', true], ['Reflect.set($json, "a", 1)', true], ['(x ? a : b)()', true],
  ['(() => { for ($json.a of [1]); })()', true], ['class A {}', true],
])('%s may write: %s', (code, want) => {
  expect(compiled(code)?.writes).toBe(want);
});
