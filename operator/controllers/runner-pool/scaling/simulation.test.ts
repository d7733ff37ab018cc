import { expect, test } from '@jest/globals';
import type { ScalingPolicy } from './decide.ts';
import { SimulatedPool, seeded } from './testing/simulated-pool.ts';
import type { Simulated, SimulationOptions } from './testing/simulated-pool.ts';

const MINUTE = 60_000;
const START_MS = 8000;
const policy: ScalingPolicy = { minReplicas: 1, maxReplicas: 50, targetWaitMs: 10_000, stabilizationMs: 120_000 };
const random = seeded(1);
const about = (mean: number) => () => -mean * Math.log(1 - random());

const base: SimulationOptions = { policy, slotsPerRunner: 40, startMs: START_MS, lengthMs: 10 * MINUTE, rate: () => 0, serviceMs: about(1000) };
const burst = { rate: (at: number) => (at >= MINUTE && at < MINUTE + 1000 ? 4000 : 0) };
const longBurst = { rate: (at: number) => (at >= MINUTE && at < MINUTE + 1000 ? 1000 : 0), serviceMs: about(2 * MINUTE), lengthMs: 30 * MINUTE };
const sine = { lengthMs: 40 * MINUTE, rate: (at: number) => 120 + 100 * Math.sin(at / (10 * MINUTE) * 2 * Math.PI) };

function waited({ waits }: Simulated, share: number): number {
  return waits.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(waits.length * share)] ?? 0;
}

/** Nothing that was raised is lowered within the stabilisation window. */
function flaps({ changes }: Simulated): object[] {
  return changes.filter((change) => change.to < change.from && changes.some(({ at, from, to }) => to > from && at < change.at && at > change.at - policy.stabilizationMs));
}

test.each<{ name: string; change: Partial<SimulationOptions>; p99: number; peak: [number, number]; atEnd: [number, number]; changes: number }>([
  { name: 'a burst of short work', change: burst, p99: 12_000, peak: [10, 45], atEnd: [1, 1], changes: 8 },
  { name: 'a burst of long work', change: longBurst, p99: 15_000, peak: [25, 45], atEnd: [1, 1], changes: 30 },
  { name: 'a step up', change: { rate: (at) => (at < MINUTE ? 10 : 200) }, p99: 10_000, peak: [6, 15], atEnd: [6, 9], changes: 18 },
  { name: 'a step down', change: { replicas: 8, rate: (at) => (at < 5 * MINUTE ? 200 : 20) }, p99: 100, peak: [8, 9], atEnd: [1, 1], changes: 5 },
  { name: 'a sine', change: sine, p99: 5000, peak: [6, 11], atEnd: [2, 9], changes: 60 },
  { name: 'on and off faster than the window', change: { lengthMs: 20 * MINUTE, rate: (at) => (at % MINUTE < 30_000 ? 150 : 0) }, p99: 10_000, peak: [5, 13], atEnd: [5, 9], changes: 16 },
  { name: 'noise', change: { lengthMs: 20 * MINUTE, rate: () => 100 * (0.5 + random()) }, p99: 8000, peak: [3, 9], atEnd: [3, 5], changes: 14 },
  { name: 'noise at the border between two sizes', change: { lengthMs: 40 * MINUTE, rate: () => 68 * (0.5 + random()) }, p99: 5000, peak: [2, 6], atEnd: [2, 4], changes: 10 },
  { name: 'work of two minutes each', change: { lengthMs: 30 * MINUTE, rate: () => 2, serviceMs: about(2 * MINUTE) }, p99: 10_000, peak: [6, 12], atEnd: [6, 10], changes: 20 },
])('$name is followed without flapping', ({ change, p99, peak, atEnd, changes }) => {
  const result = new SimulatedPool({ ...base, ...change }).run();
  const sizes = result.changes.map(({ to }) => to);
  const last = sizes.at(-1) ?? 1;
  expect(waited(result, 0.99)).toBeLessThanOrEqual(p99);
  expect(Math.max(...sizes, change.replicas ?? 1)).toBeGreaterThanOrEqual(peak[0]);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(peak[1]);
  expect(last).toBeGreaterThanOrEqual(atEnd[0]);
  expect(last).toBeLessThanOrEqual(atEnd[1]);
  expect(flaps(result)).toEqual([]);
  expect(result.changes.length).toBeLessThanOrEqual(changes);
});

test('a burst is answered within 5 seconds, first without knowing how long its executions take', () => {
  const { changes } = new SimulatedPool({ ...base, ...burst }).run();
  expect(changes[0]?.at).toBeLessThanOrEqual(MINUTE + 1000);
  expect(Math.max(...changes.filter(({ at }) => at <= MINUTE + 5000).map(({ to }) => to))).toBeGreaterThanOrEqual(10);
});

test('a pool at zero starts with the first work, and goes back when there has been none for the window', () => {
  const { changes, left } = new SimulatedPool({ ...base, policy: { ...policy, minReplicas: 0 }, rate: (at) => (at > MINUTE && at < MINUTE + 30_000 ? 1 : 0) }).run();
  expect(left).toBe(0);
  expect(changes).toMatchObject([{ from: 0, to: 1, reason: 'FirstWork' }, { from: 1, to: 0, reason: 'Idle' }]);
  expect(changes[0]?.at).toBeLessThan(MINUTE + 2000);
  expect(changes[1]?.at).toBeGreaterThanOrEqual(MINUTE + 30_000 + policy.stabilizationMs - 2000);
});

test('what never has a runner waits for the next decision only', () => {
  const { waits } = new SimulatedPool({ ...base, policy: { ...policy, minReplicas: 0 }, lengthMs: 20 * MINUTE, rate: () => 1 / 240 }).run();
  expect(Math.max(...waits.map(({ ms }) => ms))).toBeLessThanOrEqual(START_MS + 2000);
});
