import { expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';
import { full, runSeed } from '../../test/full.ts';
import type { BinaryReference, Item } from './item.ts';
import type { FileFormat, Slice } from './partitions.ts';
import { rangeSlices, sliceItems, slicesOfFile } from './slice-items.ts';

const RUNS = { numRuns: full ? 20_000 : 200, seed: runSeed };
const newline = fc.constantFrom('\n', '\r\n');
/** What is hard about text: quotes, newlines, separators, characters of several bytes. */
const hard = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', ' ', '\t', 'ü', '漢', '😀', '\uFEFF'), maxLength: 6 });
const step = fc.integer({ min: 1, max: 9 });

/** All items of all slices of a file that is read in steps of so many bytes, and how many each slice has. */
async function itemsOf(text: string, about: { format: FileFormat; count: number; step: number; delimiter?: string }): Promise<{ items: unknown[]; sizes: number[] }> {
  const bytes = Buffer.from(text);
  const read = async (_: unknown, offset: number, length: number): Promise<Uint8Array> => bytes.subarray(offset, offset + Math.min(length, about.step));
  const file: BinaryReference = { id: 'f', mimeType: 'text/plain', size: bytes.length, sha256: '' };
  const parts: Item[][] = [];
  for await (const slice of slicesOfFile(file, about, read)) parts.push(await sliceItems(slice, read));
  return { items: parts.flat().map(({ json }) => json), sizes: parts.map(({ length }) => length) };
}

/** Every part but the last is full, and none is empty. */
function expectFull(sizes: readonly number[], count: number): void {
  for (const size of sizes.slice(0, -1)) expect(size).toBe(count);
  for (const size of sizes) expect(size > 0 && size <= count).toBe(true);
}

test('slices of lines are the lines of the file', () => fc.assert(fc.asyncProperty(
  fc.array(fc.tuple(hard, newline), { maxLength: 12 }), hard, step, fc.integer({ min: 1, max: 5 }), async (lines, last, readStep, count) => {
    const text = lines.map((pair) => pair.join('')).join('') + last;
    const { items, sizes } = await itemsOf(text, { format: 'lines', count, step: readStep });
    const naive = text.replace(/^\uFEFF/u, '').split('\n').map((line) => line.replace(/\r$/u, '')).filter((line) => line.replaceAll(/[ \t\r]/gu, '') !== '');
    expect(items).toEqual(naive.map((line) => ({ line })));
    expectFull(sizes, count);
  },
), RUNS));

test('slices of csv are the rows of the file, wherever quotes, newlines and reads are', () => fc.assert(fc.asyncProperty(
  fc.array(fc.tuple(fc.array(fc.oneof(hard, hard.map((text) => `${text}\n`), hard.map((text) => `\r\n${text}`)), { minLength: 2, maxLength: 2 }), newline), { maxLength: 10 }),
  fc.tuple(fc.boolean(), fc.constantFrom(',', ';')), step, fc.integer({ min: 1, max: 4 }), async (rows, [ends, delimiter], readStep, count) => {
    const written = (fields: readonly string[]): string => fields.map((field) => (/["\r\n,;\uFEFF]/u.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(delimiter);
    const text = `a${delimiter}"b\n"\n${rows.map(([fields, end]) => written(fields) + end).join('')}`.replace(ends ? /$/u : /\r?\n$/u, '');
    const { items, sizes } = await itemsOf(text, { format: 'csv', count, step: readStep, delimiter });
    const [, ...naive] = parse(text, { delimiter, record_delimiter: ['\r\n', '\n'], skip_empty_lines: true });
    expect(items).toEqual(naive.map(([a, b]) => ({ a, 'b\n': b })));
    expectFull(sizes, count);
  },
), RUNS));

test('slices of ndjson are its objects', () => fc.assert(fc.asyncProperty(
  fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }), { maxLength: 8 }), step, fc.integer({ min: 1, max: 4 }), async (objects, readStep, count) => {
    const { items, sizes } = await itemsOf(objects.map((json) => `${JSON.stringify(json)}\n\n`).join(' \r\n'), { format: 'ndjson', count, step: readStep });
    expect(JSON.stringify(items)).toBe(JSON.stringify(objects.map((json) => JSON.parse(JSON.stringify(json)) as unknown)));
    expectFull(sizes, count);
  },
), RUNS));

test.each<{ name: string; text: string; format: FileFormat; want: unknown[] }>([
  { name: 'nothing', text: '', format: 'lines', want: [] },
  { name: 'a byte order mark alone', text: '\uFEFF', format: 'lines', want: [] },
  { name: 'a header alone', text: 'a,b', format: 'csv', want: [] },
  { name: 'a mark and blank lines before the header', text: '\uFEFF\n\r\na\n1\n', format: 'csv', want: [{ a: '1' }] },
  { name: 'rows that are too short or too long', text: 'a,b\n1\n1,2,3', format: 'csv', want: [{ a: '1', b: '' }, { a: '1', b: '2' }] },
])('a file of $name', async ({ text, format, want }) => {
  expect((await itemsOf(text, { format, count: 2, step: 2 })).items).toEqual(want);
});

test.each<{ name: string; text: string; format: FileFormat; message: string }>([
  { name: 'no JSON', text: '{"a":1}\n{a}', format: 'ndjson', message: 'not JSON' },
  { name: 'no object', text: '[1]', format: 'ndjson', message: 'not an object' },
  { name: 'a quote in a field', text: 'a,b\nx"y,2', format: 'csv', message: 'not CSV' },
  { name: 'a header without end', text: `"${'x'.repeat(2 ** 20)}`, format: 'csv', message: 'over 1 MiB' },
])('refuses $name', async ({ text, format, message }) => {
  await expect(itemsOf(text, { format, count: 1, step: 2 ** 20 })).rejects.toMatchObject({ code: 'InvalidFile', message: expect.stringContaining(message) });
});

test('slices of a range', async () => {
  const slices: Slice[] = [...rangeSlices({ from: -1, to: 4 }, 2)];
  const items = await Promise.all(slices.map((slice) => sliceItems(slice, () => Promise.reject(new Error('nothing to read')))));
  expect(items.map((part) => part.map(({ json }) => json['index']))).toEqual([[-1, 0], [1, 2], [3]]);
  expect([...rangeSlices({ from: 3, to: 3 }, 2)]).toEqual([]);
});
