import type { ScaleDecision } from '../../../crds/pool-scaling.ts';
import type { Store } from '../../../store/store.ts';
import { AppsDeployment, NetworkPolicy, Pod, PodDisruptionBudget, ServiceAccount } from '../../kube/builtin.ts';
import type { AnyObject, Cache, Client, Draft, Log, Manager, ObjectPass, Resource } from '../../kube/index.ts';
import { KubeError, StalledError, isNotFound, keyOf, objectReconciler, owns, patches, reads, toOwner, watch, writes, writesStatus } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { Needs } from '../needs.ts';
import { reconcileRequest } from '../reconcile-request.ts';
import { RunnerPool } from '../resources.ts';
import { availabilityOf } from './availability.ts';
import type { Availability } from './availability.ts';
import type { RunnerDefaults } from './deployment.ts';
import { deploymentName, podLabels, runnerDeployment } from './deployment.ts';
import { DELETION_COST, deletionCosts } from './idle-first.ts';
import { poolObjects } from './pool-objects.ts';
import { PoolRecords } from './pool-records.ts';
import { PoolSizes } from './pool-sizes.ts';
import type { PoolSize } from './pool-sizes.ts';
import { WorkListener } from './work-listener.ts';

export const runnerPoolNeeds: Needs = {
  everywhere: [...reads(RunnerPool), ...writesStatus(RunnerPool), ...owns(RunnerPool)],
  home: [
    ...reads(AppsDeployment, PodDisruptionBudget, ServiceAccount, NetworkPolicy, Pod),
    ...writes(AppsDeployment, PodDisruptionBudget, ServiceAccount, NetworkPolicy), ...patches(Pod),
  ],
};

export interface RunnerPoolControllerOptions {
  manager: Manager;
  store: Pick<Store, 'queue' | 'pools' | 'poolSizes' | 'notifications'>;
  log: Log;
  /** The operator's namespace, the only one where pools have pods: the pods hold the credentials of the database. */
  home: string;
  /** Where pools are looked at, to say so to those that are elsewhere. Absent: everywhere. */
  namespace?: string;
  defaults: RunnerDefaults;
}

/** A burst sends many notifications; a pool is looked at this often at most for them. */
const HEAR_MS = 500;
const KEPT_DECISIONS = 10;
/** When the database did not take what a pool says of itself. */
const RECORD_AGAIN_MS = 5000;

/** What belongs to the pods of pools. */
const ofRunners = (home: string) => ({ namespace: home, labelSelector: `${label.managedBy}=${MANAGED_BY},${label.component}=runner` });

/** The Deployments of all pools. */
export function runnerDeployments(manager: Manager, home: string): Cache<AppsDeployment> {
  return manager.cache(AppsDeployment, ofRunners(home));
}

/** Keeps one apps/v1 Deployment of runner pods for each RunnerPool, and its size as the queue needs it. The result stops listening to the queue. */
export function runnerPoolController({ manager, store, log, home, namespace, defaults }: RunnerPoolControllerOptions): () => Promise<void> {
  const pools = manager.cache(RunnerPool, namespace === undefined ? {} : { namespace });
  const deployments = runnerDeployments(manager, home);
  const pods = manager.client(Pod);
  const deploymentClient = manager.client(AppsDeployment);
  const ensureBudget = optionalObject(manager, PodDisruptionBudget, ofRunners(home));
  const ensureAccount = optionalObject(manager, ServiceAccount, ofRunners(home));
  const ensurePolicy = optionalObject(manager, NetworkPolicy, ofRunners(home));
  const sizes = new PoolSizes((pool) => store.queue.stats(pool), manager.clock);
  const records = new PoolRecords(store);
  const listener = new WorkListener(store.notifications, { log, onWork: (pool) => controller.enqueue(`${home}/${pool}`, HEAR_MS) });

  const reconcile = objectReconciler<RunnerPool>({
    manager,
    cache: pools,
    ready: ['Available'],
    suspended: ({ spec }) => spec.suspend === true,
    async reconcile(pool, pass) {
      Object.assign(pass.status, reconcileRequest(pool));
      if (pool.metadata.namespace !== home) {
        throw new StalledError('NamespaceNotServed', { message: `runner pools run in the namespace of the operator: create this one in namespace ${home}` });
      }
      const objects = poolObjects(pool, [defaults.databasePort, ...(defaults.objectStorage ? [defaults.objectStorage.port] : [])]);
      const key = `${home}/${deploymentName(pool.metadata.name)}` as const;
      await ensureAccount(objects.serviceAccount, key, pass);
      await ensurePolicy(objects.networkPolicy, key, pass);
      await ensureBudget(objects.disruptionBudget, key, pass);
      if (pool.spec.scaling && pool.spec.scaling.mode !== 'External') listener.listen(pool.metadata.name);
      else await listener.forget(pool.metadata.name);
      return await keepSize(pool, pass, deployments.get(key));
    },
  });

  async function keepSize(pool: RunnerPool, pass: ObjectPass<RunnerPool>, live: AppsDeployment | undefined): Promise<{ requeueAfterMs?: number }> {
    const size = await sizes.sizeOf(pass.key, pool, live?.spec?.replicas);
    const fewer = (live?.spec?.replicas ?? 0) - size.replicas;
    if (fewer > 0 && size.reports.length > 0) await letIdleGo(pool.metadata.name, size.reports, { fewer, signal: pass.signal });
    const deployment = await ensure(deploymentClient, runnerDeployment(pool, size.replicas, defaults), { live, signal: pass.signal });
    const isRecorded = await records.put(pool.metadata.name, pool.spec, size);
    const available = show(pool, pass, { deployment, size });
    // A pool that scales itself is looked at again whatever hinders it: its size may be what helps.
    if (available.stalled && size.againMs === undefined) throw new StalledError(available.reason, { message: available.message });
    const againMs = size.againMs ?? (isRecorded ? undefined : RECORD_AGAIN_MS);
    return againMs === undefined ? {} : { requeueAfterMs: againMs };
  }

  async function letIdleGo(pool: string, ...[reports, { fewer, signal }]: [Parameters<typeof deletionCosts>[1], { fewer: number; signal: AbortSignal }]): Promise<void> {
    const { items } = await pods.list({ namespace: home, labelSelector: selectorText(podLabels(pool)), signal });
    for (const { pod, cost } of deletionCosts(items, reports, fewer)) {
      try {
        await pods.patch(keyOf(pod), { merge: { metadata: { annotations: { [DELETION_COST]: cost } } } }, { signal });
      } catch (err) {
        if (!isNotFound(err)) throw err;
      }
    }
  }

  const controller = manager.control({
    name: namespace === undefined ? 'runnerpool' : `runnerpool-${namespace}`,
    rbac: [...runnerPoolNeeds.everywhere, ...runnerPoolNeeds.home],
    watches: [watch(pools), watch(deployments, { to: toOwner(RunnerPool) })],
    async reconcile(key, pass) {
      const pool = pools.get(key);
      const [namespaceOf = '', name = ''] = key.split('/');
      if (pool === undefined || pool.spec.suspend === true) {
        sizes.forget(key);
        await listener.forget(name);
      }
      if (pool === undefined && namespaceOf === home && !await records.remove(name)) return { requeueAfterMs: RECORD_AGAIN_MS };
      return await reconcile(key, pass);
    },
  });

  return () => listener.close();
}

function show({ metadata }: RunnerPool, pass: ObjectPass<RunnerPool>, { deployment, size }: { deployment: AppsDeployment; size: PoolSize }): Availability {
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0 } = deployment.status ?? {};
  Object.assign(pass.status, { desiredReplicas: size.replicas, replicas, readyReplicas, updatedReplicas, selector: selectorText(podLabels(metadata.name)) });
  if (size.lastChange) tellChange(pass, size.lastChange);
  for (const [type, { status, reason, message }] of Object.entries(size.marks)) pass.mark(type, status, reason, message);
  const available = availabilityOf(deployment, size.replicas);
  pass.mark('Available', available.status, available.reason, available.message);
  return available;
}

/** Puts a change into the status, once, with an event. */
function tellChange(pass: ObjectPass<RunnerPool>, change: ScaleDecision): void {
  const decisions = pass.status.decisions ?? [];
  if (decisions.some(({ time, from, to }) => time === change.time && from === change.from && to === change.to)) return;
  Object.assign(pass.status, { lastScaleTime: change.time, decisions: [change, ...decisions].slice(0, KEPT_DECISIONS) });
  pass.event('Normal', change.to > change.from ? 'ScaledUp' : 'ScaledDown', `from ${change.from} to ${change.to} runners (${change.reason}): ${change.message}`);
}

/** Keeps an object that a pool may have or not. */
function optionalObject<T extends AnyObject>(manager: Manager, resource: Resource<T>, scope: { namespace: string; labelSelector: string }) {
  const cache: Cache<T> = manager.cache(resource, scope);
  const client = manager.client(resource);
  return async (wanted: Draft<T> | undefined, key: `${string}/${string}`, { signal }: { signal: AbortSignal }): Promise<void> => {
    const live = cache.get(key);
    if (wanted) await ensure(client, wanted, { live, signal });
    else if (live) await client.delete(key, { uid: live.metadata.uid ?? '', signal });
  };
}

/** What the API server finds wrong with the pods comes from the pool's spec, so its author must hear it. */
async function ensure<T extends AnyObject>(client: Client<T>, ...[wanted, options]: Parameters<Client<T>['ensure']>): Promise<T> {
  try {
    return await client.ensure(wanted, options);
  } catch (error) {
    if (error instanceof KubeError && error.reason === 'Invalid') {
      throw new StalledError('RunnerSpecRefused', { message: `the API server refuses the ${client.resource.kind} made of this pool: ${error.message}`, cause: error });
    }
    throw error;
  }
}

function selectorText(labels: Record<string, string>): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(',');
}
