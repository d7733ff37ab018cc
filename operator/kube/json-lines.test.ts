import { expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { jsonLines } from './json-lines.ts';

async function* cut(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let i = 0; start < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function collect(bytes: Uint8Array, sizes = [7]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(cut(bytes, sizes))) values.push(value);
  return values;
}

test('gives the same values however the bytes are cut', async () => {
  const object = fc.record({ type: fc.string({ unit: 'grapheme' }), n: fc.integer() });
  await fc.assert(
    fc.asyncProperty(fc.array(object), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), async (values, sizes) => {
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
      expect(await collect(Buffer.from(text), sizes)).toEqual(values);
    }),
  );
});

test('a stream that ends within a line failed', async () => {
  await expect(collect(Buffer.from('{"a":1}\n{"a":'))).rejects.toMatchObject({ reason: 'ApiServerUnreachable' });
});

test('a line that is not JSON fails without being quoted', async () => {
  const failure = await collect(Buffer.from('{"data":"secret\n')).catch((err: unknown) => err);
  expect(failure).toMatchObject({ reason: 'ApiServerAnswerMalformed' });
  expect(inspect(failure)).not.toContain('secret');
});
