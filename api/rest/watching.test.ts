import { expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import type { Access } from '../auth/kubernetes-auth.ts';
import type { Watched } from '../watching/watcher.ts';
import type { DispatchContext } from './endpoint.ts';
import { Watching } from './watching-schemas.ts';
import { watchingEndpoints } from './watching.ts';

const load = { ready: 3, oldestWaitMs: 1500, running: 1, arrivalsPerSecond: 0.5, endsPerSecond: 0.25, runners: 1 };
const watched: Watched = {
  pools: [
    { name: 'default', slots: 40, blocked: 2, paused: false, load: { ...load, serviceMs: 12 }, size: { pool: 'default', mode: 'Queue', desired: 1, minReplicas: 1, maxReplicas: 4, targetWaitMs: 10_000 } },
    { name: 'unknown', slots: 0, blocked: 0, paused: false, load: { ...load, serviceMs: undefined } },
  ],
  database: { active: 1, waiting: [{ event: 'IO/WalSync', count: 1 }], connections: 7, maxConnections: 100 },
  nodes: Array.from({ length: 30 }, (_, n) => ({ pool: 'default', namespace: 'shop', workflow: 'orders', node: `n${n}`, type: 'set', runs: 1, meanMs: 1, share: 1 / 30 })),
  bottlenecks: [{ kind: 'MaxReplicas', pool: 'default', message: 'm', advice: 'a' }],
};

test('shows what is watched to those who may list runnerpools everywhere', async () => {
  const asked: Access[] = [];
  let answer: unknown;
  const response = { status: () => response, json: (body: unknown) => { answer = body; } };
  const [endpoint] = watchingEndpoints({ look: () => Promise.resolve(watched) });
  const context: DispatchContext = {
    requestId: 'r', signal: new AbortController().signal,
    authenticate: () => Promise.resolve({ username: 'ada' }),
    authorize: (_user, access) => { asked.push(access); return Promise.resolve(); },
    parse: (schema, value) => schema.parse(value),
    readBody: () => Promise.resolve({}), send: () => Promise.resolve(),
  };
  await endpoint?.dispatch({ params: {}, query: {} } as Request, response as unknown as Response, context);
  expect(asked).toEqual([{ verb: 'list', resource: 'runnerpools' }]);
  const { pools, nodes, bottlenecks } = Watching.parse(answer);
  expect(pools).toEqual([
    { name: 'default', paused: false, ready: 3, blocked: 2, running: 1, waitMs: 1500, arrivalsPerSecond: 0.5, endsPerSecond: 0.25, serviceMs: 12, runners: 1, slots: 40,
      mode: 'Queue', desired: 1, minReplicas: 1, maxReplicas: 4, targetWaitMs: 10_000 },
    { name: 'unknown', paused: false, ready: 3, blocked: 0, running: 1, waitMs: 1500, arrivalsPerSecond: 0.5, endsPerSecond: 0.25, runners: 1, slots: 0 },
  ]);
  expect([nodes.length, bottlenecks]).toEqual([10, watched.bottlenecks]);
});
