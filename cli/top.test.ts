import { expect, test } from '@jest/globals';
import type { Watching } from '../api/rest/watching-schemas.ts';
import { topText } from './top.ts';

const watching: Watching = {
  pools: [
    { name: 'default', paused: false, ready: 120, blocked: 3, running: 80, waitMs: 12_300, arrivalsPerSecond: 41.26, endsPerSecond: 300, serviceMs: 250, runners: 2, slots: 80, mode: 'Queue', desired: 2, minReplicas: 1, maxReplicas: 2,
      change: { time: '2026-01-01T00:00:00Z', from: 1, to: 2, reason: 'LoadRose', message: '90 wait' } },
    { name: 'gpu', paused: true, ready: 0, blocked: 0, running: 0, waitMs: 0, arrivalsPerSecond: 0, endsPerSecond: 0, runners: 1, slots: 4, mode: 'Fixed', desired: 1, minReplicas: 1, maxReplicas: 1 },
  ],
  database: { active: 3, waiting: [{ event: 'IO/WalSync', count: 2 }], connections: 30, maxConnections: 100 },
  nodes: [{ pool: 'default', namespace: 'shop', workflow: 'orders', node: 'Call\x1b[2J', type: 'httpRequest', host: 'slow.example', runs: 9, meanMs: 240, share: 0.91 }],
  bottlenecks: [{ kind: 'MaxReplicas', pool: 'default', message: 'all slots are taken', advice: 'raise maxReplicas' }],
};

test('shows pools, database, slow nodes, the last change and what limits', () => {
  expect(topText(watching)).toBe([
    'POOL          READY  WAIT  BLOCKED  SLOTS  IN/S  OUT/S  TAKES  RUNNERS',
    'default       120    12s   3        80/80  41.3  300    250ms  2 of 2 (1-2)',
    'gpu (paused)  0      0ms   0        0/4    0.0   0.0    -      1 of 1',
    '',
    'PostgreSQL  3 active (2 IO/WalSync), 30 of 100 connections',
    'Slowest     91 % shop/orders: Call [2J (slow.example), 240ms each',
    'Scaled      default 1 → 2 at 2026-01-01T00:00:00Z (LoadRose): 90 wait',
    '',
    'MaxReplicas in pool default: all slots are taken',
    '  → raise maxReplicas',
    '',
  ].join('\n'));
});

test('says so when nothing limits', () => {
  expect(topText({ ...watching, bottlenecks: [] })).toContain('Nothing limits throughput: what arrives starts at once.\n');
});
