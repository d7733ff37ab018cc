import { expect, test } from '@jest/globals';
import { LoadMeter } from './load-meter.ts';
import type { LoadSample } from './load-meter.ts';

const report = (name: string, change: Partial<LoadSample['reports'][number]> = {}) => ({ name, slots: 40, busy: 0, started: 0, ended: 0, busyMs: 0, ...change });
const sample = (change: Partial<LoadSample> = {}): LoadSample => ({ ready: 0, oldestReadyMs: 0, running: 0, reports: [], ...change });

test('what runners did before is not taken for load, and what new ones did is', () => {
  const meter = new LoadMeter();
  expect(meter.add(0, sample({ reports: [report('a', { started: 9000, ended: 9000, busyMs: 1e6 })] }))).toMatchObject({ arrivalsPerSecond: 0, serviceMs: undefined });
  const load = meter.add(20_000, sample({ reports: [report('a', { started: 9100, ended: 9100, busyMs: 1e6 + 5000 }), report('b', { started: 100, ended: 100, busyMs: 5000 })] }));
  expect(load).toMatchObject({ arrivalsPerSecond: 10, serviceMs: 50, runners: 2 });
});

test('what waits has arrived, though nobody has started it', () => {
  const meter = new LoadMeter();
  meter.add(0, sample());
  expect(meter.add(20_000, sample({ ready: 60, oldestReadyMs: 4000 }))).toMatchObject({ ready: 60, oldestWaitMs: 4000, arrivalsPerSecond: 3, runners: 0 });
});

test('a runner that goes takes nothing back', () => {
  const meter = new LoadMeter();
  meter.add(0, sample({ reports: [report('a')] }));
  meter.add(1000, sample({ reports: [report('a', { started: 100 })] }));
  expect(meter.add(20_000, sample()).arrivalsPerSecond).toBe(5);
});

test('how long executions take shows before one has ended, and is remembered when none is left', () => {
  const meter = new LoadMeter();
  for (let at = 0; at <= 30_000; at += 2000) meter.add(at, sample({ running: 10, reports: [report('a', { busy: 10, started: 10 })] }));
  expect(meter.add(30_000, sample({ running: 10, reports: [report('a', { busy: 10, started: 10 })] })).serviceMs).toBe(30_000);
  const after = meter.add(200_000, sample({ reports: [report('a', { started: 10, ended: 10, busyMs: 400_000 })] })).serviceMs;
  expect(after).toBe(40_000);
  expect(meter.add(400_000, sample({ reports: [report('a', { started: 10, ended: 10, busyMs: 400_000 })] })).serviceMs).toBe(40_000);
});

test('a runner that drains takes no work', () => {
  expect(new LoadMeter().add(0, sample({ running: 3, reports: [report('a', { slots: 0, busy: 3 }), report('b')] })).runners).toBe(1);
});
