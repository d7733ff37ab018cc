import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const parse = async (data: string, options: JsonObject = {}): Promise<unknown> => {
  const { json, error } = await runNode({ type: 'xml', items: [{ data }], parameters: { options } });
  return error ?? json[0]?.[0];
};

test.each([
  ['<r><i a="1">x</i></r>', {}, { r: { i: { _: 'x', a: '1' } } }], ['<r><i a="1">x</i></r>', { ignoreAttrs: true }, { r: { i: 'x' } }],
  ['<R> x  y </R>', { normalize: true, trim: true, normalizeTags: true }, { r: 'x y' }], ['<r><i/></r>', { explicitRoot: false }, { i: '' }],
])('reads %s with %p', async (xml, options, want) => expect(await parse(xml, options)).toEqual(want));

test('does not expand entities of the document', async () => {
  expect(await parse('<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>')).toMatchObject({ code: 'InvalidXml' });
});

test('reads hostile names as data', async () => {
  await parse('<r><__proto__><polluted>1</polluted></__proto__></r>');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('names the item that is no XML, or makes an error item of it', async () => {
  expect(await parse('<r><i></r>')).toMatchObject({ code: 'InvalidXml', node: 'Node', itemIndex: 0 });
  expect((await runNode({ type: 'xml', items: [{ data: '<r' }, { data: '<a>1</a>' }], onError: 'Continue' })).json).toEqual([[{ error: expect.any(String) }, { a: '1' }]]);
});

test('writes XML', async () => {
  const { json } = await runNode({ type: 'xml', items: [{ a: { $: { id: 1 }, _: '<x>' } }], parameters: { mode: 'jsonToxml', dataPropertyName: 'out', options: { headless: true, cdata: true } } });
  expect(json).toEqual([[{ out: '<a id="1"><![CDATA[<x>]]></a>' }]]);
});
