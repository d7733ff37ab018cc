import { expect, test } from '@jest/globals';
import { convertField } from './convert.ts';
import { runNode } from '../testing/run-node.ts';

const assign = (...assignments: object[]): object => ({ assignments: { assignments } });

test.each<[string, unknown, unknown]>([
  ['string', 5, '5'], ['string', { a: 1 }, '{"a":1}'], ['string', true, 'true'], ['number', '5.5', 5.5], ['number', true, 1],
  ['boolean', '1', true], ['boolean', 'FALSE', false], ['array', '[1]', [1]], ['array', "['a']", ['a']], ['object', '{"a":1}', { a: 1 }], ['number', undefined, null],
])('makes a %s of %p', (type, value, want) => expect(convertField('f', value, type, false)).toEqual(want));

test.each<[string, unknown]>([['number', 'five'], ['boolean', 'yes'], ['array', 'x'], ['object', [1]]])('refuses a %s of %p, or keeps it', (type, value) => {
  expect(() => convertField('f', value, type, false)).toThrow(expect.objectContaining({ code: 'FieldType' }));
  expect(convertField('f', value, type, true)).toEqual(value);
});

test('takes names with dots for paths unless told otherwise', async () => {
  const given = { type: 'set', version: 3.4, items: [{ a: { b: 1 } }], parameters: { ...assign({ name: 'a.c', value: 2, type: 'number' }), includeOtherFields: true } } as const;
  expect((await runNode(given)).json).toEqual([[{ a: { b: 1, c: 2 } }]]);
  expect((await runNode({ ...given, parameters: { ...given.parameters, options: { dotNotation: false } } })).json).toEqual([[{ a: { b: 1 }, 'a.c': 2 }]]);
});

test('keeps files only when they are asked for', async () => {
  const binary = { data: { id: 'x', mimeType: 'text/plain', size: 1, sha256: 'y' } };
  const kept = async (parameters: object): Promise<boolean> => {
    const { outputs } = await runNode({ type: 'set', version: 3.4, inputs: [[{ json: {}, binary }]], parameters: { ...parameters } });
    return outputs[0]?.[0]?.binary !== undefined;
  };
  expect([await kept({}), await kept({ includeOtherFields: true }), await kept({ includeOtherFields: true, options: { stripBinary: false } })]).toEqual([false, false, true]);
});

test('versions 3 to 3.2 keep values by type and choose fields by `include`', async () => {
  const fields = { values: [{ name: 'n', type: 'numberValue', numberValue: '5' }, { name: 's', stringValue: '={{ $json.a }}' }] };
  expect((await runNode({ type: 'set', version: 3.2, items: [{ a: 1, b: 2 }], parameters: { fields, include: 'selected', includeFields: 'b' } })).json).toEqual([[{ b: 2, n: 5, s: '1' }]]);
});

test('version 1 keeps the other fields unless told otherwise', async () => {
  const values = { string: [{ name: 'x.y', value: '={{ $json.a }}' }], boolean: [{ name: 't', value: true }] };
  expect((await runNode({ type: 'set', version: 1, items: [{ a: 1 }], parameters: { values } })).json).toEqual([[{ a: 1, t: true, x: { y: 1 } }]]);
  expect((await runNode({ type: 'set', version: 1, items: [{ a: 1 }], parameters: { values, keepOnlySet: true } })).json).toEqual([[{ t: true, x: { y: 1 } }]]);
});

test('refuses broken JSON before anything runs', async () => {
  const { error, run } = await runNode({ type: 'set', version: 3.4, parameters: { mode: 'raw', jsonOutput: '{"a": 1,' } });
  expect(error).toMatchObject({ code: 'ParameterInvalid', node: 'Node', parameter: 'jsonOutput' });
  expect(run).toBeUndefined();
});

test('repeats items in manual runs only', async () => {
  const parameters = { mode: 'raw', jsonOutput: '{"a":1}', duplicateItem: true, duplicateCount: 2 };
  expect((await runNode({ type: 'set', version: 3.4, parameters })).json).toEqual([[{ a: 1 }, { a: 1 }, { a: 1 }]]);
  expect((await runNode({ type: 'set', version: 3.4, parameters, mode: 'Webhook' })).json).toEqual([[{ a: 1 }]]);
});

test('leaves the input as it is', async () => {
  const shared = { deep: { a: 1 } };
  await runNode({ type: 'set', version: 3.4, items: [shared], parameters: { ...assign({ name: 'deep.a', value: 2, type: 'number' }), includeOtherFields: true } });
  expect(shared).toEqual({ deep: { a: 1 } });
});
