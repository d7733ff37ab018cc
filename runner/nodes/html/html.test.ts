import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const page = '<title>T</title><ul><li class="a">one <b>x</b></li><li>two</li></ul><select><option value="1"><option value="2" selected></select><script>no()</script><p> a\n  b </p>';
const extract = async (value: JsonObject, options: JsonObject = {}): Promise<unknown> => {
  const { json, error } = await runNode({ type: 'html', version: 1.2, items: [{ data: page }], parameters: { operation: 'extractHtmlContent', extractionValues: { values: [{ key: 'k', ...value }] }, options } });
  return error ?? json[0]?.[0]?.k;
};

test.each([
  [{ cssSelector: 'title' }, 'T'], [{ cssSelector: 'li' }, 'one xtwo'], [{ cssSelector: 'li', returnArray: true }, ['one x', 'two']], [{ cssSelector: 'li:first', returnValue: 'html' }, 'one <b>x</b>'],
  [{ cssSelector: 'li', skipSelectors: 'b', returnArray: true }, ['one', 'two']], [{ cssSelector: 'li', returnValue: 'attribute', attribute: 'class' }, 'a'], [{ cssSelector: 'select', returnValue: 'value' }, '2'],
  [{ cssSelector: 'body > script' }, 'no()'], [{ cssSelector: 'ol', returnArray: true }, []],
])('extracts %p', async (value, want) => expect(await extract(value)).toEqual(want));

test('cleans text up as asked', async () => {
  expect(await extract({ cssSelector: 'p' }, { trimValues: false })).toBe(' a\n  b ');
  expect(await extract({ cssSelector: 'p' }, { cleanUpText: true })).toBe('a b');
});

test('names what is wrong', async () => {
  expect(await extract({ cssSelector: 'li[' })).toMatchObject({ code: 'InvalidSelector', itemIndex: 0 });
  expect((await runNode({ type: 'html', version: 1.2, items: [{}], parameters: { operation: 'extractHtmlContent', dataPropertyName: 'x' } })).error).toMatchObject({ code: 'FieldMissing', itemIndex: 0 });
});

test('gives an item for each text of a list', async () => {
  const parameters = { operation: 'extractHtmlContent', extractionValues: { values: [{ key: 'k', cssSelector: 'p' }] } };
  expect((await runNode({ type: 'html', version: 1.2, items: [{ data: ['<p>1</p>', '<p>2</p>'] }], parameters })).json).toEqual([[{ k: '1' }, { k: '2' }]]);
});

test('escapes what it puts in a table', async () => {
  const { json } = await runNode({ type: 'html', version: 1.2, items: [{ a_b: '<i>' }], parameters: { operation: 'convertToHtmlTable', options: { capitalize: true, customStyling: true, caption: 'C&D' } } });
  expect(json[0]?.[0]?.table).toBe('<table  ><caption>C&amp;D</caption><thead  ><tr><th>A B</th></tr></thead><tbody><tr  ><td  >&lt;i&gt;</td></tr></tbody></table>');
});
