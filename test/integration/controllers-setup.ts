import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { RunnerPoolStatus } from '../../crds/runner-pool.ts';
import type { WorkflowRunStatus } from '../../crds/workflow-run.ts';
import type { WorkflowStatus } from '../../crds/workflow.ts';
import type { ContainerSettings } from '../../operator/controllers/container/controller.ts';
import { Health, connect, kstatus, silentLog } from '../../operator/kube/index.ts';
import type { AnyObject, Cluster } from '../../operator/kube/index.ts';
import { createOperator } from '../../operator/operator.ts';
import { nodeTypes } from '../../runner/nodes/registry.ts';
import { channel } from '../../store/notifications.ts';
import { migrate, openStore } from '../../store/store.ts';
import type { Store } from '../../store/store.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { startPostgres } from '../postgres/postgres.ts';

export const HOME = 'millrace';
export const WEBHOOKS = { configuration: 'millrace-webhooks', service: 'millrace-webhooks', secret: 'millrace-webhooks-tls' };
const WAIT_MS = 120_000;

export type AnyStatus = WorkflowStatus & WorkflowRunStatus & RunnerPoolStatus;
export type Live = AnyObject & { status?: AnyStatus };

/** A control plane with our kinds, a database, and any number of operators in this process. */
export interface World {
  plane: ControlPlane;
  store: Store;
  databaseUrl: string;
  /** Direct access, as a person with all rights. */
  cluster: Cluster;
  /** With `containers` it makes pods of container nodes. */
  startOperator(containers?: ContainerSettings): Promise<RunningOperator>;
  stop(): Promise<void>;
}

export interface RunningOperator {
  /** Hands the lease over. */
  stop(): Promise<void>;
}

const paths: Readonly<Record<string, string>> = { mwf: 'workflows', mrun: 'workflowruns', mpool: 'runnerpools' };

export async function startWorld(): Promise<World> {
  const [plane, postgres] = await Promise.all([startControlPlane(), startPostgres()]);
  const url = await postgres.database();
  await migrate({ url, applicationName: 'test' });
  const store = await openStore({ url, applicationName: 'test' });
  await plane.kubectl('apply', '--server-side', '-f', join(import.meta.dirname, '../../crds/generated'));
  await plane.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  for (const namespace of [HOME, 'shop']) await plane.kubectl('create', 'namespace', namespace);
  const cluster = await connect({ kubeconfig: plane.kubeconfig });
  const open = new Set<RunningOperator>();
  let started = 0;

  async function startOperator(containers?: ContainerSettings): Promise<RunningOperator> {
    started += 1;
    const own = await connect({ kubeconfig: plane.kubeconfig });
    const database = await openStore({ url, applicationName: `operator-${started}` });
    const stop = new AbortController();
    const operator = createOperator({
      cluster: own, store: database, nodeTypes, log: silentLog, registry: new Registry(),
      lease: { leaseMs: 15_000, renewMs: 10_000, retryMs: 200 },
      config: {
        home: HOME, identity: `operator-${started}`, namespaces: [], containers, isolatedPods: 2, poolsConfigMap: 'release-pools', webhooks: WEBHOOKS,
        runners: { image: 'millrace:test', imagePullSecrets: [], serviceAccountName: 'runner', databaseSecret: { name: 'database', key: 'url' }, databasePort: 5432, baseUrl: 'http://api', logLevel: 'info' },
      },
    });
    const running = operator.run(stop.signal);
    const handle = {
      async stop() {
        open.delete(handle);
        stop.abort();
        await running;
        await database.close();
        await own.close();
      },
    };
    open.add(handle);
    return handle;
  }

  return {
    plane, store, cluster, startOperator, databaseUrl: url,
    async stop() {
      await Promise.all([...open].map((operator) => operator.stop()));
      await store.close();
      await cluster.close();
      await Promise.all([postgres.stop(), plane.stop()]);
    },
  };
}

export async function get({ cluster }: Pick<World, 'cluster'>, kind: string, name: string, namespace = 'shop'): Promise<Live> {
  return cluster.request(`/apis/millrace.dev/v1alpha1/namespaces/${namespace}/${paths[kind] ?? kind}/${name}`);
}

/** Asks until the object is as wanted; each time it is seen, it may not count as healthy with an old generation. */
export async function eventually(world: Pick<World, 'cluster'>, [kind, name, namespace]: readonly [string, string, string?], wanted: (object: Live) => boolean, withinMs = WAIT_MS): Promise<Live> {
  let last: Live | undefined;
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await new Promise((resolve) => { setTimeout(resolve, 20); })) {
    last = await get(world, kind, name, namespace);
    if (kstatus(last) === Health.Current && last.status?.observedGeneration !== last.metadata.generation) {
      throw new Error(`${kind} ${name} counts as healthy with an old generation: ${JSON.stringify(last.status)}`);
    }
    if (wanted(last)) return last;
  }
  throw new Error(`${kind} ${name} did not become as wanted: ${JSON.stringify(last?.status)}`);
}

export async function until<T>(look: () => Promise<T | undefined>, withinMs = WAIT_MS): Promise<T> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await new Promise((resolve) => { setTimeout(resolve, 20); })) {
    const seen = await look();
    if (seen !== undefined) return seen;
  }
  throw new Error('did not come about in time');
}

export function condition(object: Live, type: string) {
  return object.status?.conditions?.find((candidate) => candidate.type === type);
}

export const isReady = (object: Live): boolean => kstatus(object) === Health.Current && condition(object, 'Ready')?.status === 'True';
export const isStalled = (object: Live): boolean => kstatus(object) === Health.Failed;

/** Stands in for a pool of runners: claims what arrives and ends it at once with `status`. Returns how to stop it. */
export async function fakeRunner(store: Store, status: 'Succeeded' | 'Failed' = 'Succeeded'): Promise<() => Promise<void>> {
  const runner = `fake/${Math.random()}`;
  async function work(): Promise<void> {
    const { claims } = await store.queue.claim({ pool: 'default', runner, limit: 100 });
    const error = { code: 'NodeFailed', node: 'Keep', message: 'the other side refused' };
    await store.queue.finish(claims.map(({ executionId, fence, save }) => ({
      executionId, fence, save, result: { status, runs: [], ...(status === 'Failed' ? { error } : {}) },
    })));
  }
  await store.queue.renew({ runner, leases: [] });
  let busy = Promise.resolve();
  const stop = await store.notifications.on(channel.work('default'), () => { busy = busy.then(work); });
  return async () => {
    await stop();
    await busy;
    await store.queue.leave(runner);
  };
}
