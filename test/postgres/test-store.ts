import type { ExecutionResult, NodeRun } from '../../runner/engine/node-run.ts';
import type { Claim } from '../../store/lease.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import type { RouteSpec } from '../../store/route.ts';
import { migrate, openStore, type Store, type StoreOptions } from '../../store/store.ts';
import type { Postgres } from './postgres.ts';

/** An empty, migrated database with a store on it. */
export async function newStore(postgres: Postgres, options: Partial<StoreOptions> = {}): Promise<{ store: Store; url: string }> {
  const url = await postgres.database();
  await migrate({ url, applicationName: 'test' });
  return { url, store: await openStore({ url, applicationName: 'test', ...options }) };
}

/** Stores a small workflow and its active route. */
export async function publish(store: Store, route: Partial<RouteSpec> & { version?: string } = {}): Promise<RouteSpec> {
  const { namespace = 'shop', workflow = 'orders', uid = 'uid-1', version = '1', ...rest } = route;
  const { revision } = await store.revisions.put({
    namespace, workflow, uid, definition: { id: `${namespace}/${workflow}`, name: version, nodes: [{ name: 'Start', type: 'manualTrigger' }], connections: [] },
  });
  const spec: RouteSpec = {
    namespace, workflow, uid, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [], ...rest,
  };
  await store.routes.apply(spec);
  return spec;
}

export function request(change: Partial<EnqueueRequest> = {}): EnqueueRequest {
  return { namespace: 'shop', workflow: 'orders', mode: 'Webhook', trigger: { node: 'Start', items: [{ json: { n: 1 } }] }, ...change };
}

/** Enqueues one request that must be accepted. */
export async function accept(store: Store, change: Partial<EnqueueRequest> = {}): Promise<string> {
  const [outcome] = await store.queue.enqueue([request(change)]);
  if (outcome?.accepted !== true) throw new Error(`Not accepted: ${outcome?.reason}`);
  return outcome.id;
}

/** Claims one execution that must be there. */
export async function claimOne(store: Store, runner = 'runner-1', leaseMs = 10_000): Promise<Claim> {
  const { claims: [claim] } = await store.queue.claim({ pool: 'default', runner, limit: 1, leaseMs });
  if (claim === undefined) throw new Error('Nothing to claim');
  return claim;
}

export function nodeRun(change: Partial<NodeRun> = {}): NodeRun {
  return { node: 'Start', runIndex: 0, status: 'success', source: [null], outputs: [[{ json: { n: 1 } }]], startedAt: 1000, durationMs: 2, ...change };
}

export function succeeded(change: Partial<ExecutionResult> = {}): ExecutionResult {
  return { status: 'Succeeded', lastNode: 'Start', runs: [nodeRun()], ...change };
}

export const KEEP_ALL = { success: 'All', failure: 'All' } as const;
