import { expect, test } from '@jest/globals';
import { StoreError, StoreReason } from '../error.ts';
import { PAYLOADS_IN_ROWS } from '../payloads.ts';
import { largePayloads } from './large-payloads.ts';
import type { ObjectStorageProblem } from './object-storage.ts';
import { isReference } from './reference.ts';

const ID = '019db0f0-1a00-7abc-8def-0123456789ab';
const away = new StoreError(StoreReason.ObjectStorageUnavailable, 'away');

function setUp({ fails = false, problem }: { fails?: boolean; problem?: ObjectStorageProblem } = {}) {
  const objects = new Map<string, Uint8Array>();
  const kept: StoreError[] = [];
  const payloads = largePayloads({
    from: 100,
    onKeptInRow: (error) => kept.push(error),
    storage: {
      put: async (key, bytes) => {
        if (fails) throw away;
        objects.set(key, bytes);
      },
      get: async (key) => Buffer.from(objects.get(key) ?? []),
      problem: () => problem,
    },
  });
  return { payloads, objects, kept };
}

test('what is small stays in its row, without a promise where none was', async () => {
  const { payloads, objects } = setUp();
  const bytes = Buffer.from('{}');
  expect(payloads.keep(bytes, 'kept', ID)).toBe(bytes);
  expect(payloads.load(bytes)).toBe(bytes);
  expect(await payloads.encode({ a: 1 }, 'live', ID)).toEqual(Buffer.from('{"a":1}'));
  expect(objects.size).toBe(0);
});

test('what is large becomes an object, and comes back', async () => {
  const { payloads, objects } = setUp();
  const text = 'x'.repeat(100);
  const stored = await payloads.encode(text, 'live', ID);
  expect(isReference(stored)).toBe(true);
  expect([...objects.keys()]).toEqual([expect.stringMatching(/^live\//)]);
  expect(await payloads.load(stored)).toEqual(Buffer.from(JSON.stringify(text)));
  await expect((async () => PAYLOADS_IN_ROWS.load(stored))()).rejects.toMatchObject({ code: 'ObjectStorageOff' });
});

test.each([
  { name: 'fails', given: { fails: true }, told: 1 },
  { name: 'has just failed', given: { problem: { code: 'ObjectStorageUnavailable', since: performance.now() } }, told: 0 },
] as const)('a storage that $name costs nothing but space in the row', async ({ given, told }) => {
  const { payloads, objects, kept } = setUp(given);
  const bytes = Buffer.alloc(200, 'x');
  expect(await payloads.keep(bytes, 'kept', ID)).toBe(bytes);
  expect([objects.size, kept.length]).toEqual([0, told]);
});

test('one that failed a while ago is tried again', async () => {
  const { payloads, objects } = setUp({ problem: { code: 'ObjectStorageRefused', since: performance.now() - 60_000 } });
  await payloads.keep(Buffer.alloc(200, 'x'), 'kept', ID);
  expect(objects.size).toBe(1);
});
