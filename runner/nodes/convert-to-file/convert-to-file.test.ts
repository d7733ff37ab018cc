import { expect, test } from '@jest/globals';
import type { Item, JsonObject } from '../../engine/item.ts';
import { createLocalHost } from '../../local-host.ts';
import { plainSandbox } from '../../engine/testing/plain-sandbox.ts';
import { pdf } from '../../pdf/testing/pdf-file.ts';
import { runNode } from '../testing/run-node.ts';

const host = createLocalHost({ sandbox: plainSandbox });
const rows = [{ n: 1, t: 'x, "y"\nz', deep: { b: true } }, { n: 2.5, t: '' }];
const write = (parameters: JsonObject, items: JsonObject[] = rows): ReturnType<typeof runNode> => runNode({ type: 'convertToFile', version: 1.1, parameters, items, host });
const read = (files: readonly Item[], parameters: JsonObject, compat: 'millrace' | 'n8n-v2' = 'millrace'): ReturnType<typeof runNode> => runNode({ type: 'extractFromFile', inputs: [files], parameters, compat, host });

async function bytesOf(parameters: JsonObject, items?: JsonObject[]): Promise<Buffer> {
  const file = (await write(parameters, items)).outputs[0]?.[0]?.binary?.data;
  return file ? Buffer.from(await host.binaries.get(file)) : Buffer.alloc(0);
}

const nested = [{ n: 1, t: 'x, "y"\nz', 'deep.b': true }, { n: 2.5 }];

test.each([
  { format: 'xlsx', want: nested }, { format: 'ods', want: nested },
  { format: 'csv', want: [{ n: '1', t: 'x, "y"\nz', 'deep.b': 'TRUE' }, { n: '2.5' }] },
  { format: 'html', want: [{ n: 1, t: 'x, "y"\nz', 'deep.b': 'true' }, { n: 2.5 }] },
  { format: 'rtf', want: [{ n: '1', t: 'x, "y"\nz', 'deep.b': 'true' }, { n: '2.5' }] },
])('writes and reads $format', async ({ format, want }) => {
  const { outputs } = await write({ operation: format });
  expect(outputs[0]?.[0]).toMatchObject({ json: {}, pairedItem: [{ item: 0 }, { item: 1 }], binary: { data: { fileName: `spreadsheet.${format}`, fileExtension: format } } });
  expect((await read(outputs[0] ?? [], { operation: format })).json).toEqual([want]);
});

test('makes equal files of equal items', async () => {
  for (const operation of ['xlsx', 'ods']) expect((await bytesOf({ operation })).equals(await bytesOf({ operation }))).toBe(true);
});

test('leaves the mark of a CSV file in the first header for n8n, and includes empty cells if asked', async () => {
  const { outputs } = await write({ operation: 'csv' }, [{ a: 1, b: '' }]);
  expect((await read(outputs[0] ?? [], {}, 'n8n-v2')).json).toEqual([[{ '\uFEFFa': '1' }]]);
  expect((await read(outputs[0] ?? [], { options: { includeEmptyCells: true } })).json).toEqual([[{ a: '1', b: '' }]]);
  expect((await read(outputs[0] ?? [], { options: { headerRow: false, fromLine: 2, delimiter: ';' } })).json).toEqual([[{ row: ['1,'] }]]);
});

test.each([
  { parameters: { operation: 'toJson' }, items: [{ a: 1 }, { a: 2 }], want: '[{"a":1},{"a":2}]' },
  { parameters: { operation: 'toJson', mode: 'each', options: { format: true } }, items: [{ a: 1 }], want: '{\n  "a": 1\n}' },
  { parameters: { operation: 'toText', sourceProperty: 'x.y' }, items: [{ x: { y: 'é' } }], want: 'é' },
  { parameters: { operation: 'toBinary', sourceProperty: 'x' }, items: [{ x: 'data:text/plain;base64,aGk=' }], want: 'hi' },
  { parameters: { operation: 'toBinary', sourceProperty: 'x', options: { dataIsBase64: false } }, items: [{ x: 'aGk=' }], want: 'aGk=' },
])('writes $parameters.operation', async ({ parameters, items, want }) => expect((await bytesOf(parameters, items)).toString()).toBe(want));

test('tells the type of bytes by their name or their start', async () => {
  const png = Buffer.from('89504e470d0a1a0a00', 'hex').toString('base64');
  expect((await write({ operation: 'toBinary', sourceProperty: 'x' }, [{ x: png }])).outputs[0]?.[0]?.binary?.data).toMatchObject({ mimeType: 'image/png', fileName: 'file.png' });
  expect((await write({ operation: 'toBinary', sourceProperty: 'x', options: { fileName: 'a.pdf' } }, [{ x: png }])).outputs[0]?.[0]?.binary?.data).toMatchObject({ mimeType: 'application/pdf', fileExtension: 'pdf' });
});

test('writes and reads a calendar, folded and escaped', async () => {
  const title = 'A; B, C\\ '.repeat(12).trim();
  const additionalFields = { location: 'here\nthere', attendeesUi: { attendeeValues: [{ name: 'Ann "x"', email: 'a@x.y', rsvp: true }] }, uid: 'u1' };
  const { outputs } = await write({ operation: 'iCal', title, start: '2024-01-01', end: '2024-01-02', allDay: true, additionalFields }, [{}]);
  const file = outputs[0]?.[0]?.binary?.data;
  const text = file ? Buffer.from(await host.binaries.get(file)).toString() : '';
  expect(Math.max(...text.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(75);
  expect((await read(outputs[0] ?? [], { operation: 'fromIcs' })).json[0]?.[0]).toMatchObject({
    data: { version: '2.0', events: [{ uid: 'u1', summary: title, location: 'here\nthere', start: { type: 'DATE', date: '2024-01-01T00:00:00.000Z' }, end: { date: '2024-01-03T00:00:00.000Z' }, attendees: [{ name: 'Ann x', email: 'a@x.y' }] }] },
  });
});

const stored = async (bytes: string | Uint8Array): Promise<Item[]> => [{ json: { keep: 1 }, binary: { data: await host.binaries.put(Buffer.from(bytes), { mimeType: 'text/plain' }) } }];

test.each([
  { content: '\uFEFFhé', parameters: { operation: 'text' }, want: { data: 'hé' } },
  { content: Buffer.from('h\u00e9', 'latin1'), parameters: { operation: 'text', destinationKey: 'a.b', options: { encoding: 'windows-1252', keepSource: 'json' } }, want: { keep: 1, a: { b: 'hé' } } },
  { content: '{"a":1}', parameters: { operation: 'fromJson' }, want: { data: { a: 1 } } }, { content: 'hi', parameters: { operation: 'binaryToPropery' }, want: { data: 'aGk=' } },
])('reads $parameters', async ({ content, parameters, want }) => expect((await read(await stored(content), parameters)).json).toEqual([[want]]));

test('reads a PDF in a process of its own', async () => {
  expect((await read(await stored(pdf('Hello PDF')), { operation: 'pdf' })).json[0]?.[0]).toMatchObject({ numpages: 1, text: 'Hello PDF' });
});

test.each([
  ['xlsx', 'no zip', 'InvalidFile'], ['pdf', 'no pdf', 'InvalidFile'], ['fromJson', '{', 'InvalidJson'], ['fromIcs', 'x', 'InvalidFile'], ['csv', '"a', 'InvalidFile'], ['juggle', '', 'UnknownOperator'],
])('refuses %s of %p', async (operation, content, code) => {
  expect((await read(await stored(content), { operation })).error).toMatchObject({ code, node: 'Node', itemIndex: 0 });
});

test('names the files there are when the wanted one is missing', async () => {
  expect((await read(await stored('x'), { binaryPropertyName: 'other' })).error).toMatchObject({ code: 'BinaryMissing', message: expect.stringContaining("'data'") });
  expect((await write({ operation: 'xls' })).error).toMatchObject({ code: 'NotSupported' });
});
