import { expect, test } from '@jest/globals';
import { rulesOf } from './rules.ts';

test('a pool says how the queue treats it, and nothing where its spec says nothing', () => {
  expect(rulesOf({})).toEqual({ paused: false });
  expect(rulesOf({ paused: true, maxCrashes: 5, quota: { maxRunning: 10, maxQueued: 1000, perNamespace: { maxRunning: 4, maxQueued: 200 } } }))
    .toEqual({ paused: true, maxCrashes: 5, maxRunning: 10, maxQueued: 1000, namespaceMaxRunning: 4, namespaceMaxQueued: 200 });
});
