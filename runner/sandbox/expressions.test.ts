import { beforeAll, describe, expect, test } from '@jest/globals';
import type { TestAnswer, TestRequest } from './testing/run-requests.ts';
import { inChild } from './testing/in-child.ts';

const ITEMS = [{ json: { a: { b: 7 }, s: 'hello big WORLD-of_things', n: 5, l: [3, 1, 2], nul: null, d: '2024-05-18T10:20:30.000Z' } }, { json: { a: { b: 8 } } }];

/** Template → value; UNDEFINED for undefined; an error code in capitals of its own form for failures. */
const UNDEFINED = Symbol('undefined');
const fails = (code: string) => ({ code });
const isFailure = (want: unknown): want is { code: string } => typeof want === 'object' && want !== null && Object.keys(want).join() === 'code';

const CASES: Readonly<Record<string, readonly (readonly [template: string, want: unknown])[]>> = {
  'typing and text': [
    ['{{ $json.a.b }}', 7], ['{{ $json.l }}', [3, 1, 2]], ['{{ 1 }} ', '1 '], [' {{ 1 }}', ' 1'], ['{{ 1 }}{{ 2 }}', '12'], ['', ''], ['plain', 'plain'],
    ['[{{ null }}{{ undefined }}{{ $json.nope }}]', '[]'], ['[{{ $json.a }}]', '[[object Object]]'], ['[{{ $json.l }}]', '[3,1,2]'], ['{{ }}', UNDEFINED], ['{{ /* nothing */ }}', UNDEFINED],
    ['{{ "a}b" }}', 'a}b'], ['{{ "a\\}}b" }}', 'a}}b'], ['\\{{ 1 }}', '{{ 1 }}'], ['{{ 1', '{{ 1'], ['{{ {"a":{"b":1} } }}', { a: { b: 1 } }], ['{{ 1; }}', 1], ['{{ 1 // one\n }}', 1],
    ['{{ "<!-- import(x) --> eval(y)" }}', '<!-- import(x) --> eval(y)'], ['{{ `<!--${1}-->` }}', '<!--1-->'], ['{{ /<!--|-->/.test("-->") }}', true], ['{{ 3 --> 1 }}', fails('ExpressionSyntax')],
    ['{{ ((i) => i--> 1)(3) }}', true], ['{{ ({ nan: 0/0, inf: 1/0, und: undefined, l: [undefined] }) }}', { nan: null, inf: null, l: [null] }], ['{{ 12345678901234567890n }}', '12345678901234567890'],
  ],
  errors: [
    ['{{ $json.nope.x }}', UNDEFINED], ['{{ $json.nul.toUpperCase() }}', UNDEFINED], ['{{ fooBar(1) }}', UNDEFINED], ['{{ JSON.parse("{") }}', UNDEFINED], ['{{ (() => { throw new Error("x") })() }}', UNDEFINED],
    ['a{{ $json.q.r }}b', 'ab'], ['{{ let q = 2; q + 1 }}', fails('ExpressionSyntax')], ['{{ "a}}b" }}', fails('ExpressionSyntax')], ['{{ $json.n.toTitleCase() }}', fails('ExpressionFailed')],
    ['{{ $json.a.merge({}) }}', fails('ExpressionFailed')], ['{{ "not a date".toDateTime() }}', fails('ExpressionFailed')], ['{{ (() => {}).constructor("return 1")() }}', fails('ExpressionSyntax')],
    ['{{ $("Nobody").first() }}', fails('NodeNotFound')], ['{{ $("Out").first() }}', fails('NodeNotExecuted')], ['{{ $secrets.x }}', fails('SecretsUnavailable')], ['{{ $env.HOME }}', fails('EnvironmentUnavailable')],
    ['{{ $json.l.map }}', fails('ExpressionFailed')], ['{{ $node["In"].json.s.length }}', 25], ['{{ $("In").itemMatching(9) }}', fails('ItemIndexOutOfRange')], ['{{ $("In").all(0, 3) }}', fails('RunIndexOutOfRange')],
    ['{{ (() => { const a = {}; a.a = a; return a })() }}', fails('ExpressionFailed')], ['{{ (async () => 1)() }}', fails('ExpressionSyntax')], ['{{ (function f() { return f() })() }}', UNDEFINED],
  ],
  'writing does not reach the item': [
    ['{{ $json.n = 6 }}|{{ $json.n }}', '6|5'], ['{{ $json.l.sort() }}|{{ $json.l }}', '1,2,3|3,1,2'], ['{{ Object.assign($json, { n: 9 }).n }}|{{ $json.n }}', '9|5'], ['{{ ($json.l.push(4), $json.l.length) }}', 4],
    ['{{ $input.all().reverse()[0].json.a.b }}|{{ $json.a.b }}', '8|7'], ['{{ delete $json.n }}|{{ $json.n }}', 'true|5'], ['{{ $json.n++ }}|{{ $json.n }}', '5|5'], ['{{ [$json.n] = [1] }}|{{ $json.n }}', '1|5'],
    ['{{ ["n"].map((k) => $json[k] = 1) }}|{{ $json.n }}', '1|5'], ['{{ $vars.x = 1 }}|{{ $vars.x }}', '1|'],
  ],
  roots: [
    ['{{ $input.item.json.n }}', 5], ['{{ $input.first().json.n }}', 5], ['{{ $input.last().json.a.b }}', 8], ['{{ $input.all().length }}', 2], ['{{ $itemIndex }}{{ $runIndex }}', '00'], ['{{ $prevNode.name }}', 'In'],
    ['{{ $prevNode }}', { name: 'In', outputIndex: 0, runIndex: 0 }], ['{{ $workflow }}', { id: 'test/flow', name: 'Flow', active: true }], ['{{ $execution.id }} {{ $execution.mode }}', 'e1 test'],
    ['{{ $execution.resumeUrl }}', 'https://flows.example.com/webhook-waiting/e1/token'], ['{{ $now.zoneName }}', 'America/New_York'], ['{{ $today.toISO() }}', '2023-11-14T00:00:00.000-05:00'], ['{{ $now }}', '2023-11-14T17:13:20.000-05:00'],
    ['{{ new Date().getTime() }} {{ Date.now() }}', '1700000000000 1700000000000'], ['{{ DateTime.now().toMillis() }}', 1_700_000_000_000], ['{{ Math.random() }}', 0.5], ['{{ [7, 8, 9].randomItem() }}', 8],
    ['{{ $if(1 > 0, "y", "n") }}', 'y'], ['{{ $ifEmpty([], "d") }}{{ $ifEmpty({}, "d") }}{{ $ifEmpty("", "d") }}{{ $ifEmpty(0, "d") }}{{ $ifEmpty($now, "d") }}', 'ddd02023-11-14T17:13:20.000-05:00'],
    ['{{ $min(3, 1) }}{{ $max(3, 1) }}', '13'], ['{{ $jmespath({ a: [1, 2] }, "a[1]") }}', 2], ['{{ $jmespath({}, "a") }}', null], ['{{ $jmespath({}, "][") }}', UNDEFINED], ['{{ $vars.region }}', 'north'],
    ['{{ $parameter.mode }}', 'manual'], ['{{ $parameter.nested[0].x }}', 7], ['{{ $nodeVersion }}', 3.4], ['{{ $response.body }}{{ $pageCount }}', 'page1'], ['{{ typeof $request }}', 'undefined'], ['{{ $items("In").length }}', 2],
    ['{{ $("In").item.json.n }}', 5], ['{{ $("In").isExecuted }} {{ $("Out").isExecuted }}', 'true false'], ['{{ $("In").params }}', { jsCode: 'return []' }], ['{{ $fromAI("k", "", "string", "d") }}', 'd'], ['{{ $fromAI("k") }}', fails('NoModelHere')],
    ['{{ typeof process?.exit }}', 'undefined'], ['{{ ({ $json }).$json.n }}', 5], ['{{ (($json) => $json)(1) }}', 1], ['{{ ["In"].map((name) => $(name).first().json.n) }}', [5]], ['{{ $parameter.circle }}', fails('ExpressionFailed')],
  ],
  'methods and chains': [
    ['{{ $json.s.toTitleCase().replace("Big", "b") }}', 'Hello b WORLD-Of_things'], ['{{ $json.l.first() }}{{ $json.l.last() }}', '32'], ['{{ $json.nope?.first() }}', UNDEFINED], ['{{ $json.nope?.x.first() }}', UNDEFINED],
    ['{{ $json.nope.isEmpty() }}', true], ['{{ $json.nul.isNotEmpty() }}', false], ['{{ ($json.l).sum() }}', 6], ['{{ $json.l["sum"]() }}', 6], ['{{ $json.l.map((x) => x.isEven()) }}', [false, false, true]],
    ['{{ new Set([1]).union(new Set([2])).size }}', 2], ['{{ $json.d.toDateTime().plus(2, "days").toISO() }}', '2024-05-20T06:20:30.000-04:00'], ['{{ DateTime.fromISO("2024-01-31T10:00:00Z").plus({ months: 1 }).toISO() }}', '2024-02-29T05:00:00.000-05:00'],
    ['{{ new Date(0) }}', '1970-01-01T00:00:00.000Z'], ['{{ ({ d: DateTime.fromMillis(0) }) }}', { d: '1969-12-31T19:00:00.000-05:00' }], ['{{ DateTime.fromFormat("5 janvier 2024", "d LLLL yyyy", { locale: "fr" }).toISODate() }}', '2024-01-05'],
    ['{{ (1234.5).format("de-DE") }}', '1.234,5'], ['{{ "abc".hash("sha256").length }}', 64], ['{{ $json.l.randomItem /* c */ () }}', 1],
  ],
};

describe('expressions', () => {
  const rows = Object.values(CASES).flat();
  let answers: TestAnswer[] = [];
  beforeAll(async () => {
    const definition = {
      id: 'test/flow', name: 'Flow', active: true, settings: { timezone: 'America/New_York' }, connections: [{ from: 'In', output: 0, to: 'Out', input: 0, type: 'main' }],
      nodes: [{ name: 'In', type: 'code', parameters: { jsCode: 'return []' } }, { name: 'Out', type: 'set', typeVersion: 3.4, parameters: { mode: 'manual', nested: [{ x: '={{ $json.a.b }}' }], circle: '={{ $parameter.circle }}' } }],
    };
    const requests = rows.map(([template]): TestRequest => ({ template, items: ITEMS, definition, variables: { region: 'north' }, roots: { $response: { body: 'page' }, $pageCount: 1 } }));
    answers = await inChild(new URL('testing/run-requests.ts', import.meta.url), { input: requests });
  }, 60_000);

  for (const [group, cases] of Object.entries(CASES)) {
    test.each(cases)(`${group}: %s`, (template, want) => {
      const answer = answers[rows.findIndex(([each]) => each === template)];
      if (isFailure(want)) expect(answer).toMatchObject(want);
      else if (want === UNDEFINED) expect(answer).toMatchObject({ type: 'undefined' });
      else expect(answer).toMatchObject({ value: want });
    });
  }
});
