import { expect, test } from '@jest/globals';
import { manualClock } from './manual-clock.ts';
import { WorkQueue } from './work-queue.ts';
import type { ManualClock } from './manual-clock.ts';

function queue(clock: ManualClock = manualClock(() => 1)): { clock: ManualClock; queue: WorkQueue<string> } {
  return { clock, queue: new WorkQueue<string>({ clock, backoff: { baseMs: 100, capMs: 1000 }, retries: { perSecond: 1, burst: 5 } }) };
}

/** Every key that can be taken now, each given back. */
async function drain(from: WorkQueue<string>): Promise<string[]> {
  const taken: string[] = [];
  while (from.depth > 0) {
    const key = await from.take();
    if (key === undefined) break;
    taken.push(key);
    from.done(key);
  }
  return taken;
}

test('a key added many times is handed out once, in the order of its first adding', async () => {
  const { queue: q } = queue();
  for (const key of ['b', 'a', 'b', 'a', 'c']) q.add(key);
  expect(await drain(q)).toEqual(['b', 'a', 'c']);
});

test('a key that is being worked on is not handed out again until it is done', async () => {
  const { queue: q } = queue();
  q.add('a');
  expect(await q.take()).toBe('a');
  q.add('a');
  expect(q.depth).toBe(0);
  q.done('a');
  expect(await drain(q)).toEqual(['a']);
});

test('a worker that waits is woken by the next key', async () => {
  const { queue: q } = queue();
  const taken = q.take();
  q.add('a');
  expect(await taken).toBe('a');
});

test('of two delays of one key the earlier stands', async () => {
  const { clock, queue: q } = queue();
  q.addAfter('a', 50);
  q.addAfter('a', 500);
  q.addAfter('b', 500);
  q.addAfter('b', 50);
  await clock.advance(60);
  expect(await drain(q)).toEqual(['a', 'b']);
  await clock.advance(1000);
  expect(await drain(q)).toEqual([]);
});

test('a key that is taken loses its delayed turn', async () => {
  const { clock, queue: q } = queue();
  q.addAfter('a', 50);
  q.add('a');
  expect(await drain(q)).toEqual(['a']);
  await clock.advance(100);
  expect(await drain(q)).toEqual([]);
});

test('a delay longer than a timer can be still comes', async () => {
  const { clock, queue: q } = queue();
  const days30 = 30 * 86_400_000;
  q.addAfter('a', days30);
  await clock.advance(days30 - 1000);
  expect(await drain(q)).toEqual([]);
  await clock.advance(2000);
  expect(await drain(q)).toEqual(['a']);
});

test('retries wait longer with each failure up to the cap, and at least as long as told', async () => {
  const { queue: q, clock } = queue();
  const waits: number[] = [];
  for (const atLeast of [0, 0, 0, 0, 0, 5000]) {
    q.retry('a', atLeast);
    const from = clock.monotonic();
    while (q.depth === 0) await clock.advance(10);
    waits.push(clock.monotonic() - from);
    await drain(q);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1000, 6000]);
  q.forget('a');
  expect(q.failures('a')).toBe(0);
});

test('retries of many keys together stay within the bucket', async () => {
  const { clock, queue: q } = queue(manualClock(() => 0));
  for (let i = 0; i < 20; i += 1) q.retry(`k${i}`);
  await clock.advance(1);
  expect((await drain(q)).length).toBe(5);
  await clock.advance(10_000);
  expect((await drain(q)).length).toBe(10);
  await clock.advance(5_000);
  expect((await drain(q)).length).toBe(5);
});

test('closing ends the waiting and leaves no timer', async () => {
  const { clock, queue: q } = queue();
  const taken = q.take();
  q.addAfter('a', 1000);
  q.close();
  expect(await taken).toBeUndefined();
  expect(await q.take()).toBeUndefined();
  expect(clock.pending).toBe(0);
});

test('a hundred thousand keys pass in order', async () => {
  const { queue: q } = queue();
  const keys = Array.from({ length: 100_000 }, (_, i) => `k${i}`);
  for (const key of keys) q.add(key);
  expect(await drain(q)).toEqual(keys);
});
