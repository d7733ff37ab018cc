import type { PoolState } from '../../store/pools.ts';
import type { Store } from '../../store/store.ts';
import { jsonEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { Pool, PoolList, PoolPath } from './queue-schemas.ts';
import { NoBody, NoPath, NoQuery } from './schemas.ts';

/** Reading and pausing pools. Rights: those on runnerpools, in all namespaces because pools serve all. */
export function poolEndpoints({ store }: { store: Pick<Store, 'pools' | 'queue' | 'overview'> }): Endpoint[] {
  const show = async ({ name, held, paused = false, ...limits }: PoolState): Promise<Pool> => {
    const { ready, delayed, running, runners, oldestReadyMs } = await store.queue.stats(name);
    const pausedBy = [...(paused ? ['RunnerPool' as const] : []), ...(held ? ['Administrator' as const] : [])];
    return { name, paused: pausedBy.length > 0, pausedBy, ready, delayed, running, demand: ready + running, runners, oldestReadyMs, ...limits };
  };
  const read = async (name: string): Promise<PoolState> => await store.pools.get(name) ?? { name, held: false };
  const steer = (held: boolean) => async ({ params }: { params: { pool: string } }) => show(await store.pools.hold(params.pool, held));

  return [
    jsonEndpoint({
      method: 'get', path: '/pools', operationId: 'listPools', summary: 'Pools with what waits and runs in them',
      params: NoPath, query: NoQuery, body: NoBody, status: 200, answer: PoolList,
      permission: () => ({ verb: 'list', resource: 'runnerpools' }),
      handle: async () => {
        const known = await store.pools.list();
        const others = (await store.overview()).pools.filter((name) => !known.some((pool) => pool.name === name));
        const states = [...known, ...await Promise.all(others.map(read))].sort((a, b) => (a.name < b.name ? -1 : 1));
        return { items: await Promise.all(states.map(show)) };
      },
    }),
    jsonEndpoint({
      method: 'get', path: '/pools/{pool}', operationId: 'getPool', summary: 'One pool with what waits and runs in it',
      params: PoolPath, query: NoQuery, body: NoBody, status: 200, answer: Pool,
      permission: ({ params }) => ({ verb: 'get', resource: 'runnerpools', name: params.pool }),
      handle: async ({ params }) => show(await read(params.pool)),
    }),
    jsonEndpoint({
      method: 'post', path: '/pools/{pool}/pause', operationId: 'pausePool', summary: 'Take no more work from a pool; what runs goes on, and work is still accepted',
      params: PoolPath, query: NoQuery, body: NoBody, status: 200, answer: Pool,
      permission: ({ params }) => ({ verb: 'update', resource: 'runnerpools', name: params.pool }),
      handle: steer(true),
    }),
    jsonEndpoint({
      method: 'post', path: '/pools/{pool}/resume', operationId: 'resumePool', summary: 'End the pause of an administrator; one that the RunnerPool asks for goes on',
      params: PoolPath, query: NoQuery, body: NoBody, status: 200, answer: Pool,
      permission: ({ params }) => ({ verb: 'update', resource: 'runnerpools', name: params.pool }),
      handle: steer(false),
    }),
  ];
}
