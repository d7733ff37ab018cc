import type { Cluster, Draft, Key } from '../../operator/kube/index.ts';
import { Informer, client, keyOf, silentLog, systemClock } from '../../operator/kube/index.ts';
import { Pod } from '../../operator/kube/builtin.ts';
import { WorkflowRun } from '../../operator/controllers/resources.ts';
import { isTerminal } from '../../operator/controllers/container/pod-outcome.ts';
import { buildPod } from '../../operator/controllers/container/pod.ts';
import { until } from '../eventually.ts';
import { apiWrites, writesSince } from './api-writes.ts';

/** Whom the pods are for; each has a namespace of its own. */
export const PODS = { loop: 'bench-loop', millrace: 'bench-runs' } as const;
export const WORKFLOW = 'one-pod';

/** Requests under way at once. */
const CLIENTS = 16;
const WITHIN_MS = 900_000;
const GONE_MS = 120_000;

export interface Load {
  /** From the first request to the last end. */
  ms: number;
  /** From a request to the end of what it asked for, in milliseconds. */
  latencies: number[];
  /** Everybody's writes to the API server until the last pod was gone. */
  writes: Map<string, number>;
}

export interface LoadOptions {
  cluster: Cluster;
  count: number;
  image: string;
  command: string[];
}

export const workflow = ({ image, command }: Pick<LoadOptions, 'image' | 'command'>): object => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: WORKFLOW, namespace: PODS.millrace },
  spec: {
    active: true,
    nodes: [{ name: 'Start', type: 'manualTrigger', position: [0, 0] }, { name: 'Pod', type: 'container', position: [200, 0], parameters: { image, command } }],
    connections: [{ from: 'Start', output: 0, to: 'Pod', input: 0, type: 'main' }],
  },
});

/** The pods that Millrace would make, made by a loop that does nothing else and is told by a watch when they are over. */
export async function plainLoop({ cluster, count, image, command }: LoadOptions): Promise<Load> {
  const pods = client(cluster, Pod, { fieldManager: 'bench' });
  const draft = (index: number): Draft<Pod> => {
    const step = { id: String(index).padStart(20, '0'), namespace: PODS.loop, workflow: WORKFLOW, node: 'Pod', executionId: String(index), attempt: 1 };
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'none', uid: 'none' };
    // Nothing here has an owner, so nothing is collected behind the loop's back.
    const { metadata: { ownerReferences: _, ...metadata }, spec } = buildPod(step, { image, command }, { installation: 'bench', owner });
    return { metadata, ...(spec && { spec }) };
  };
  const before = await apiWrites(cluster);
  const { ms, latencies } = await timed(cluster, { count, namespace: PODS.loop }, { resource: Pod, isOver: isTerminal, create: (index) => pods.create(draft(index)) });
  const { items } = await pods.list({ namespace: PODS.loop });
  await eachOf(items, async (pod) => pods.delete(keyOf(pod), { uid: pod.metadata.uid }));
  await untilGone(cluster, PODS.loop);
  return { ms, latencies, writes: writesSince(before, await apiWrites(cluster)) };
}

/** One WorkflowRun for each execution, of a workflow that is one container. `prefix` tells one load's runs from another's. */
export async function workflowRuns({ cluster, count }: LoadOptions, prefix: string): Promise<Load> {
  const runs = client(cluster, WorkflowRun, { fieldManager: 'bench' });
  const before = await apiWrites(cluster);
  const { ms, latencies } = await timed(cluster, { count, namespace: PODS.millrace }, {
    resource: WorkflowRun, isOver: ({ metadata, status }) => metadata.name.startsWith(prefix) && status?.finishedAt !== undefined,
    create: (index) => runs.create({ metadata: { name: `${prefix}-${index}`, namespace: PODS.millrace }, spec: { workflowRef: { name: WORKFLOW } } }),
  });
  await untilGone(cluster, PODS.millrace);
  const writes = writesSince(before, await apiWrites(cluster));
  const { items } = await runs.list({ namespace: PODS.millrace });
  const failed = items.filter(({ status }) => status?.phase !== 'Succeeded');
  if (failed.length > 0) throw new Error(`${failed.length} runs did not succeed, such as ${failed[0]?.metadata.name ?? ''}: ${JSON.stringify(failed[0]?.status)}`);
  return { ms, latencies, writes };
}

interface Work<T extends Pod | WorkflowRun> {
  resource: Parameters<typeof client<T>>[1];
  isOver(object: T): boolean;
  create(index: number): Promise<T>;
}

/** Creates that many objects as fast as the API server takes them and waits until a watch has shown that all are over. */
async function timed<T extends Pod | WorkflowRun>(cluster: Cluster, { count, namespace }: { count: number; namespace: string }, { resource, isOver, create }: Work<T>): Promise<Pick<Load, 'ms' | 'latencies'>> {
  const watching = new AbortController();
  const informer = new Informer(resource, { namespace }, { cluster, clock: systemClock, log: silentLog });
  const running = informer.run(watching.signal);
  await informer.cache.whenSynced();
  const [sent, over] = [new Map<Key, number>(), new Map<Key, number>()];
  informer.cache.subscribe(({ key, after }) => {
    if (after !== undefined && isOver(after) && !over.has(key)) over.set(key, performance.now());
  });
  const start = performance.now();
  await eachOf(Array.from({ length: count }, (_, index) => index), async (index) => {
    const at = performance.now();
    sent.set(keyOf(await create(index)), at);
  });
  await until(async () => over.size >= count, { withinMs: WITHIN_MS });
  watching.abort();
  await running;
  return { ms: Math.max(...over.values()) - start, latencies: [...over].map(([key, at]) => at - (sent.get(key) ?? start)) };
}

async function eachOf<T>(values: readonly T[], work: (value: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (next < values.length) {
      const value = values[next++];
      if (value !== undefined) await work(value);
    }
  }));
}

async function untilGone(cluster: Cluster, namespace: string): Promise<void> {
  const pods = client(cluster, Pod, { fieldManager: 'bench' });
  await until(async () => (await pods.list({ namespace })).items.length === 0, { withinMs: GONE_MS, everyMs: 1000 });
}
