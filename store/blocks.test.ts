import { describe, expect, test } from '@jest/globals';
import { array, assert, asyncProperty, integer, uint8Array } from 'fast-check';
import { inBlocks } from './blocks.ts';

async function* stream(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

describe('inBlocks', () => {
  test('keeps the bytes, in blocks of one size of which only the last is shorter', async () => {
    await assert(asyncProperty(array(uint8Array({ maxLength: 40 })), integer({ min: 1, max: 16 }), async (pieces, size) => {
      const blocks: Buffer[] = [];
      for await (const block of inBlocks(stream(pieces), size)) blocks.push(block);
      expect(Buffer.concat(blocks)).toEqual(Buffer.concat(pieces));
      const lengths = blocks.map(({ length }) => length);
      expect(lengths.slice(0, -1).every((length) => length === size)).toBe(true);
      expect(lengths.every((length) => length > 0 && length <= size)).toBe(true);
    }));
  });
});
