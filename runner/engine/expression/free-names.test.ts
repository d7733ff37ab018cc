import { expect, test } from '@jest/globals';
import { freeNames } from './free-names.ts';
import { parseBody } from './parse-expression.ts';

const free = (source: string) => freeNames(parseBody(source).program).map(({ node, written, shorthand, typeOnly }) => `${node.name}${written ? '=' : ''}${shorthand ? '{}' : ''}${typeOnly ? '?' : ''}`);

test.each([
  ['a.b.c; d[e]', ['a', 'd', 'e']],
  ['let a = 1; const { b, c: [d] } = x; return a + b + d', ['x']],
  ['x = 1; y += 2; z++; [p, q.r] = s; ({ t, u: v } = w)', ['x=', 'y=', 'z=', 'p=', 'q', 's', 't={}', 'v=', 'w']],
  ['function f(a, { b } = c) { var d = a; return d + b + f + arguments.length } f()', ['c']],
  ['{ let a = 1; function g() {} } a; g', ['a', 'g']],
  ['if (x) { var a = 1 } a', ['x']],
  ['for (const a of b) a; for (c of d) ; for (let i = 0; i < n; i++) i', ['b', 'c=', 'd', 'n']],
  ['try { a } catch ({ message }) { message } finally { b }', ['a', 'b']],
  ['class A extends B { #p = q; static s = A; m(x) { return x + this.#p } get [k]() { return super.m } } A', ['B', 'q', 'k']],
  ['outer: for (;;) { break outer }', []],
  ['typeof a; typeof (b); ({ c, d: e })', ['a?', 'b?', 'c{}', 'e']],
  ['switch (a) { case b: let c = 1; default: c }', ['a', 'b']],
  ['const f = (a, ...r) => a + r + g; (function h() { return h })()', ['g']],
  ['function f() { return new.target } `${a}${`${b}`}`', ['a', 'b']],
])('%s', (source, want) => {
  expect(free(source)).toEqual(want);
});
