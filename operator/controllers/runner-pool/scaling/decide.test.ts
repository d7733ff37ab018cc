import { expect, test } from '@jest/globals';
import { decide } from './decide.ts';
import type { ScalingInput, ScalingPolicy } from './decide.ts';
import type { PoolLoad } from '../../../../store/load-meter.ts';

const policy: ScalingPolicy = { minReplicas: 1, maxReplicas: 20, targetWaitMs: 10_000, stabilizationMs: 120_000 };
const idle: PoolLoad = { ready: 0, oldestWaitMs: 0, running: 0, arrivalsPerSecond: 0, endsPerSecond: 0, serviceMs: 1000, runners: 2 };
const input = (load: Partial<PoolLoad>, change: Partial<ScalingInput> = {}): ScalingInput => ({
  now: 1_000_000, policy, replicas: 2, slotsPerRunner: 10, ...change, load: { ...idle, ...load },
});

test.each<{ name: string; when: ScalingInput; want: object }>([
  { name: 'what arrives times how long it takes, at 85 % of the slots', when: input({ arrivalsPerSecond: 34, running: 20 }), want: { replicas: 4, reason: 'LoadRose' } },
  { name: 'the backlog within the target', when: input({ ready: 500, running: 20 }), want: { replicas: 5, reason: 'LoadRose' } },
  { name: 'no more than there is work', when: input({ ready: 15, running: 10, serviceMs: 600_000 }), want: { replicas: 3 } },
  { name: 'at most maxReplicas, and says so', when: input({ ready: 50_000, running: 20 }), want: { replicas: 20, reason: 'Bounds', limitedFrom: 500, message: expect.stringMatching(/500 runners would be needed, but at most 20 are allowed/) } },
  { name: 'at least minReplicas', when: input({}, { replicas: 0, policy: { ...policy, minReplicas: 3 } }), want: { replicas: 3, reason: 'Bounds' } },
  { name: 'one for the first work', when: input({ ready: 1, serviceMs: undefined, runners: 0 }, { replicas: 0, policy: { ...policy, minReplicas: 0 } }), want: { replicas: 1, reason: 'FirstWork' } },
  { name: 'not more when slots are free but nothing starts', when: input({ ready: 500, oldestWaitMs: 15_000, running: 3 }), want: { replicas: 2, reason: 'Blocked', message: expect.stringContaining('something else than runners') } },
  { name: 'more while the runners that would be free are still starting', when: input({ ready: 500, oldestWaitMs: 15_000, running: 3, runners: 1 }), want: { reason: 'LoadRose' } },
  { name: 'half as many again when the wait tells that the estimate is wrong', when: input({ ready: 2, oldestWaitMs: 25_000, running: 20 }), want: { replicas: 3, reason: 'WaitOverTarget' } },
  { name: 'no change', when: input({ arrivalsPerSecond: 15, running: 15 }), want: { replicas: 2, reason: 'Steady' } },
  { name: 'no less than before at once', when: input({}, { replicas: 9 }), want: { replicas: 9, reason: 'Steady' } },
  {
    name: 'less when less was enough for the window', when: input({}, { replicas: 9, memory: { enough: [{ at: 879_000, replicas: 9 }, { at: 990_000, replicas: 4 }], raisedAt: 0, loweredAt: 0 } }),
    want: { replicas: 4, reason: 'LoadFell', message: expect.stringContaining('4 were enough for 120 s') },
  },
  {
    name: 'not twice within 15 seconds less', when: input({}, { replicas: 9, memory: { enough: [{ at: 990_000, replicas: 4 }], raisedAt: 0, loweredAt: 990_000 } }),
    want: { replicas: 9, reason: 'Steady' },
  },
])('$name', ({ when, want }) => {
  expect(decide(when)).toMatchObject(want);
});

test('a lower maxReplicas is kept at once', () => {
  expect(decide(input({ running: 20 }, { replicas: 9, policy: { ...policy, maxReplicas: 5 } }))).toMatchObject({ replicas: 5, reason: 'Bounds' });
});

test('what is remembered stays small and names the largest size first', () => {
  let memory = decide(input({})).memory;
  for (let n = 0; n < 500; n += 1) memory = decide(input({ running: n % 37 }, { now: 1_000_000 + n * 500, replicas: 4, memory })).memory;
  expect(memory.enough.length).toBeLessThanOrEqual(5);
  expect(memory.enough.map(({ replicas }) => replicas)).toEqual(memory.enough.map(({ replicas }) => replicas).sort((a, b) => b - a));
});
