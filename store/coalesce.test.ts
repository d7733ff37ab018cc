import { expect, test } from '@jest/globals';
import { coalesce } from './coalesce.ts';
import { StoreError, StoreReason } from './error.ts';

test('what arrives while a batch is under way forms the next batch', async () => {
  const batches: number[][] = [];
  const double = coalesce<number, number>(async (batch) => {
    batches.push([...batch]);
    await new Promise((resolve) => setImmediate(resolve));
    return batch.map((n) => n * 2);
  }, { concurrency: 1, max: 3 });
  const results = await Promise.all([1, 2, 3, 4, 5].map(async (n) => double(n)));
  expect(results).toEqual([2, 4, 6, 8, 10]);
  expect(batches).toEqual([[1, 2, 3], [4, 5]]);
});

test('at most `concurrency` batches are under way', async () => {
  let active = 0;
  let most = 0;
  const run = coalesce<number, number>(async (batch) => {
    active += 1;
    most = Math.max(most, active);
    await new Promise((resolve) => setImmediate(resolve));
    active -= 1;
    return batch;
  }, { concurrency: 2, max: 1 });
  await Promise.all(Array.from({ length: 10 }, async (_, n) => run(n)));
  expect(most).toBe(2);
});

test('a failed batch fails its own calls only', async () => {
  const run = coalesce<number, number>(async (batch) => {
    if (batch.includes(1)) throw new Error('broken');
    return batch;
  }, { concurrency: 1, max: 1 });
  const results = await Promise.allSettled([run(1), run(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('an answer of the wrong length is an error, not a wrong assignment', async () => {
  const run = coalesce<number, number>(async () => [], { concurrency: 1, max: 5 });
  await expect(run(1)).rejects.toThrow(RangeError);
});

test('after a batch with company the next one gathers for a while; calls one by one do not wait', async () => {
  const batches: number[] = [];
  const everyMs = 60_000;
  const run = coalesce<number, number>(async (batch) => {
    batches.push(batch.length);
    return batch;
  }, { concurrency: 2, max: 6, everyMs });
  for (const n of [1, 2, 3]) await run(n);
  await Promise.all([1, 2, 3, 4].map(async (n) => run(n)));
  const gathered = [5, 6, 7, 8, 9].map(async (n) => run(n));
  await new Promise((resolve) => { setImmediate(() => { setImmediate(resolve); }); });
  expect(batches).toEqual([1, 1, 1, 4]);
  // A full batch waits for nobody.
  await Promise.all([...gathered, run(10)]);
  expect(batches).toEqual([1, 1, 1, 4, 6]);
});

test('a value that cannot be stored fails by itself, not its neighbours in the batch', async () => {
  const run = coalesce<number, number>(async (batch) => {
    if (batch.includes(2)) throw new StoreError(StoreReason.PayloadRefused, 'too large');
    return batch;
  }, { concurrency: 1, max: 5 });
  const results = await Promise.allSettled([1, 2, 3].map(async (n) => run(n)));
  expect(results).toMatchObject([{ value: 1 }, { reason: { code: 'PayloadRefused' } }, { value: 3 }]);
});
