import { beforeAll, describe, expect, test } from '@jest/globals';
import type { TestAnswer, TestRequest } from './testing/run-requests.ts';
import { inChild } from './testing/in-child.ts';

const ITEMS = [{ json: { v: 1 } }, { json: { v: 2 } }];

const CASES: readonly { name: string; request: TestRequest; want: object }[] = [
  { name: 'all items', request: { code: 'return $input.all().map((i) => i.json.v)' }, want: { value: [1, 2] } },
  { name: 'the old variable items', request: { code: 'return items.map((i) => i.pairedItem)' }, want: { value: [{ item: 0 }, { item: 1 }] } },
  { name: 'a variable of the same name', request: { code: 'const items = $input.all(); const item = 5; return items.length + item' }, want: { value: 7 } },
  { name: 'assigning to an old variable', request: { code: 'items = items.filter((i) => i.json.v > 1); return items.length' }, want: { value: 1 } },
  { name: 'each item', request: { code: 'return [$json.v, item.json.v, $input.item.json.v, $itemIndex]', mode: 'each', itemIndex: 1 }, want: { value: [2, 2, 2, 1] } },
  { name: 'copies are the same object', request: { code: '$input.first().json.v = 9; return [$input.all()[0].json.v, $json.v, $("In").first().json.v]' }, want: { value: [9, 9, 1] } },
  { name: 'null and undefined', request: { code: 'return null' }, want: { value: null } },
  { name: 'nothing', request: { code: 'const a = 1' }, want: { type: 'undefined' } },
  { name: 'values that are no JSON', request: { code: 'return { d: new Date(0), u: undefined, n: NaN, m: new Map([[1, 2]]), s: new Set([1]), re: /x/g, f() {}, b: Buffer.from("a") }' }, want: { value: { d: '1970-01-01T00:00:00.000Z', n: null, m: {}, s: {}, re: {}, b: { type: 'Buffer', data: [97] } } } },
  { name: 'undeclared variables as in sloppy code', request: { code: 'total = 0; for (x of [1, 2]) total += x; return total' }, want: { value: 3 } },
  { name: 'a thrown error with its line', request: { code: 'const a = 1;\nthrow new Error("boom")' }, want: { code: 'CodeFailed', message: 'boom [line 2]' } },
  { name: 'a line after comments that are rewritten', request: { code: '/* <!--\n\n */\nconst s = "-->";\nreturn nope' }, want: { code: 'CodeFailed', message: 'nope is not defined [line 5]' } },
  { name: 'an unknown name', request: { code: 'return typeof nope + ({ v: typeof nope }).v' }, want: { value: 'undefinedundefined' } },
  { name: 'a syntax error with its line', request: { code: 'return 1;\nreturn 2 +' }, want: { code: 'CodeSyntax', message: 'Unexpected token [line 2]' } },
  { name: 'import', request: { code: 'import x from "y"' }, want: { code: 'CodeSyntax' } },
  { name: 'a module that is not allowed', request: { code: 'return require("fs")' }, want: { code: 'ModuleNotAllowed' } },
  { name: 'a module that is allowed', request: { code: 'return require("luxon").DateTime.now().zoneName + require("node:crypto").createHash("md5").update("a").digest("hex")' }, want: { value: 'America/New_York0cc175b9c0f1b6a831c399e269772661' } },
  { name: 'await and timers', request: { code: 'const t = Date.now(); await new Promise((r) => setTimeout(r, 5)); clearTimeout(setTimeout(() => {}, 1e9)); return Date.now() - t' }, want: { value: 0 } },
  { name: 'an error in a timer', request: { code: 'setTimeout(() => { throw new Error("late") }, 0); await new Promise(() => {})' }, want: { code: 'CodeFailed', message: 'late [line 1]' } },
  { name: 'console', request: { code: 'console.log("a", 1, { b: [2] }, undefined); console.warn("w"); return 1' }, want: { printed: ['log: a 1 {"b":[2]} undefined', 'warn: w'] } },
  { name: 'static data', request: { code: 'const s = $getWorkflowStaticData("global"); s.n = (s.n ?? 0) + 1; delete s.old; return s.n', staticData: { n: 1, old: 2 } }, want: { value: 2, staticData: { n: 2 } } },
  { name: 'static data of code that fails', request: { code: '$getWorkflowStaticData("global").n = 1; throw new Error("x")' }, want: { code: 'CodeFailed' } },
  { name: 'no data methods', request: { code: 'return [typeof "a".toTitleCase, typeof [].first]' }, want: { value: ['undefined', 'undefined'] } },
  { name: 'roots', request: { code: 'return [$runIndex, $workflow.name, DateTime.isDateTime($now), $prevNode.name, $jmespath({ a: [1, 2] }, "a[1]"), $("In").itemMatching(1).json.v]' }, want: { value: [0, 'Flow', true, 'In', 2, 2] } },
  { name: 'evaluating an expression', request: { code: 'return $evaluateExpression("{{ $json.v }}", 1)' }, want: { value: 2 } },
  { name: 'numbers in buffers', request: { code: 'const b = Buffer.alloc(8); b.writeUInt16BE(258, 0); b.writeDoubleLE; b.writeInt8(-1, 2); return [b.readUInt16BE(0), b.readUInt8(2), b.toString("hex"), Buffer.concat([Buffer.from("a"), Buffer.from("b")]).toString(), Buffer.from("aGk=", "base64").toString(), b.equals(Buffer.from(b)), Buffer.from("abc").indexOf("c")]' }, want: { value: [258, 255, '0102ff0000000000', 'ab', 'hi', true, 2] } },
  { name: 'classes, generators, closures and labels', request: { code: 'class A { #x = 1; get x() { return this.#x } } function* g() { yield* [1, 2] } outer: for (const i of g()) { for (;;) { if (i === 2) break outer; continue outer } } switch (1) { case 1: { let q = 1; } default: } return new A().x + [...g()].length' }, want: { value: 3 } },
  { name: 'Python over all items', request: { language: 'python', code: 'total = sum(item["json"]["v"] for item in _items)\nprint("total", total)\nreturn [{"json": {"total": total, "first": _input.first().json.v, "n": float("nan"), "t": (1, 2)}}]' }, want: { value: [{ json: { total: 3, first: 1, n: null, t: [1, 2] } }], printed: ['log: total 3'] } },
  { name: 'Python for each item', request: { language: 'python', mode: 'each', itemIndex: 1, code: '_item["json"]["w"] = _json.v * 2\nreturn _item' }, want: { value: { json: { v: 2, w: 4 } } } },
  { name: 'Python with roots and the standard library', request: { language: 'python', code: 'import datetime, re\nreturn [_workflow.name, _runIndex, _prevNode.name, datetime.date(2024, 1, 2), re.findall("a", "banana")]' }, want: { value: ['Flow', 0, 'In', '2024-01-02', ['a', 'a', 'a']] } },
  { name: 'Python that raises', request: { language: 'python', code: 'x = 1\nraise ValueError("boom")' }, want: { code: 'CodeFailed', message: 'boom [line 2]' } },
  { name: 'Python that cannot be read', request: { language: 'python', code: 'x = 1\nreturn 1 +' }, want: { code: 'CodeSyntax', message: 'invalid syntax [line 2]' } },
  { name: 'Python that returns no data', request: { language: 'python', code: 'return object()' }, want: { code: 'CodeFailed' } },
  { name: 'Python that returns nothing', request: { language: 'python', code: 'x = 1' }, want: { value: null } },
  { name: 'the clock and randomness of Python', request: { language: 'python', code: 'import time, random\nt = time.time()\ntime.sleep(1)\nreturn [round(t), time.time() > t, random.random()]' }, want: { value: [1_700_000_000, true, 0.7947984595933472] } },
  { name: 'Python that leaves something behind', request: { language: 'python', code: 'import builtins\nbuiltins.trace = 1\nopen("/tmp/trace", "w").write("x")\nreturn 1' }, want: { value: 1 } },
  { name: 'Python of another execution', request: { language: 'python', code: 'import builtins, os\nreturn [hasattr(builtins, "trace"), os.path.exists("/tmp/trace")]' }, want: { value: [false, false] } },
  { name: 'no such language', request: { code: 'x', language: 'ruby' as 'python' }, want: { code: 'LanguageUnknown' } },
];

describe('code', () => {
  let answers: TestAnswer[] = [];
  beforeAll(async () => {
    answers = await inChild(new URL('testing/run-requests.ts', import.meta.url), { input: CASES.map(({ request }) => ({ items: ITEMS, ...request })) });
  }, 240_000);

  test.each(CASES.map((each, index) => ({ ...each, index })))('$name', ({ index, want }) => {
    expect(answers[index]).toMatchObject(want);
  });
});
