import { channel } from '../../../store/notifications.ts';
import type { Store } from '../../../store/store.ts';
import { Pod } from '../../kube/builtin.ts';
import type { Key, Manager, Pass, Result, Watch } from '../../kube/index.ts';
import { KubeError, isAlreadyExists, keyOf, reads, watch } from '../../kube/index.ts';
import { TokenBucket } from '../../kube/token-bucket.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { Needs } from '../needs.ts';
import { RunnerPool } from '../resources.ts';
import type { RunnerDefaults } from '../runner-pool/deployment.ts';

import { planPods, type Plan } from './plan.ts';
import { runnerPod } from './runner-pod.ts';

export const isolatedRunNeeds: Needs = {
  everywhere: [],
  home: [...reads(RunnerPool, Pod), { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete'] }],
};

export interface IsolatedRunControllerOptions {
  manager: Manager;
  store: Pick<Store, 'isolated' | 'queue' | 'notifications'>;
  /** The operator's namespace: the pods hold the credentials of the database. */
  home: string;
  /** Where pools are watched. Absent: everywhere. */
  namespace?: string;
  /** Unfinished pods at once, over all pools. */
  maxPods: number;
  defaults: RunnerDefaults;
}

/** Delayed work that is due is not announced. */
const LOOK_MS = 1000;
/** Pods made, and deleted, per second: bursts do not reach the API server. */
const PER_SECOND = 10;

/**
 * Gives executions of workflows with `isolation: pod` a runner pod each, a new one for every claim. What makes it right is the queue's lease: a pod too
 * many finds its execution taken. Returns what starts listening for work; that returns what stops it.
 */
export function isolatedRunController({ manager, store, home, namespace, maxPods, defaults }: IsolatedRunControllerOptions): () => Promise<() => Promise<void>> {
  const { clock } = manager;
  const pools = manager.cache(RunnerPool, namespace === undefined ? {} : { namespace });
  const pods = manager.cache(Pod, { namespace: home, labelSelector: `${label.managedBy}=${MANAGED_BY},${label.runnerPool},${label.execution}` });
  const client = manager.client(Pod);
  const budget = () => new TokenBucket({ perSecond: PER_SECOND, burst: PER_SECOND }, () => clock.monotonic());
  const [creates, deletes] = [budget(), budget()];
  const all: Key = `${home}/isolated`;
  const start: Watch = { start: (sink) => {
    sink.enqueue(all);
    return () => undefined;
  } };

  const controller = manager.control({
    name: 'isolatedrun',
    rbac: [...isolatedRunNeeds.home],
    watches: [start, watch(pods, { to: () => [all] }), watch(pools, { to: () => [all] })],
    async reconcile(_, pass): Promise<Result> {
      const live = pods.list();
      // Nobody else may be there to see that a pod has died.
      if (live.length > 0) await store.queue.reap();
      const served = pools.list().filter(({ metadata, spec }) => metadata.namespace === home && metadata.deletionTimestamp === undefined && spec.suspend !== true);
      const wanted = await Promise.all(served.map(async (pool) => ({ pool, executions: await store.isolated.wanted(pool.metadata.name, 2 * maxPods) })));
      const states = await store.isolated.states(live.map(({ metadata }) => metadata.labels?.[label.execution] ?? ''));
      await carryOut(planPods({ wanted, pods: live, states, maxPods, now: clock.now() }), pass);
      return { requeueAfterMs: LOOK_MS };
    },
  });

  async function carryOut({ create, remove }: Plan, pass: Pass): Promise<void> {
    for (const { pool, execution } of create) {
      if (!creates.tryTake()) break;
      try {
        await client.create(runnerPod(pool, execution, defaults), { signal: pass.signal });
      } catch (error) {
        if (isAlreadyExists(error)) continue;
        if (!(error instanceof KubeError) || (error.status !== 403 && error.status !== 422)) throw error;
        const note = `the API server refuses the pod of execution ${execution.id} of ${execution.namespace}/${execution.workflow}: ${error.message.slice(0, 500)}`;
        manager.events.record(pool, { type: 'Warning', reason: 'IsolatedPodRefused', note, action: 'Reconcile' });
      }
    }
    for (const pod of remove) if (deletes.tryTake()) await client.delete(keyOf(pod), { uid: pod.metadata.uid ?? '', signal: pass.signal });
  }

  return () => store.notifications.on(channel.isolated, () => controller.enqueue(all));
}
