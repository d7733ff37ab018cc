import type { z } from 'zod';
import type { PoolSituation } from '../watching/bottlenecks.ts';
import type { Watcher } from '../watching/watcher.ts';
import { jsonEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { NoBody, NoPath, NoQuery } from './schemas.ts';
import { Watching } from './watching-schemas.ts';
import type { WatchedPool } from './watching-schemas.ts';

const SHOWN_NODES = 10;

/** Live watching. Rights: listing workflowruns and runnerpools of all namespaces is what it shows a summary of; the second is asked for. */
export function watchingEndpoints(watcher: Pick<Watcher, 'look'>): Endpoint[] {
  return [
    jsonEndpoint({
      method: 'get', path: '/bottlenecks', operationId: 'getBottlenecks', summary: 'Queue, pools and database as they are now, and what limits throughput',
      params: NoPath, query: NoQuery, body: NoBody, status: 200, answer: Watching,
      permission: () => ({ verb: 'list', resource: 'runnerpools' }),
      handle: async () => {
        const { pools, database, nodes, bottlenecks } = await watcher.look();
        return { pools: pools.map(show), database, nodes: nodes.slice(0, SHOWN_NODES), bottlenecks };
      },
    }),
  ];
}

function show({ name, load, slots, blocked, paused, size }: PoolSituation): z.input<typeof WatchedPool> {
  const { ready, running, oldestWaitMs, arrivalsPerSecond, endsPerSecond, serviceMs, runners } = load;
  const { pool: _pool, ...scaling } = size ?? { pool: name };
  return {
    name, paused, ready, blocked, running, waitMs: oldestWaitMs, arrivalsPerSecond, endsPerSecond, runners, slots, ...scaling,
    ...(serviceMs !== undefined && { serviceMs }),
  };
}
