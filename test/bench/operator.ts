import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../../operator/kube/index.ts';
import { Informer, client, connect, isTrue, silentLog, systemClock } from '../../operator/kube/index.ts';
import { ControllerRevision, Namespace } from '../../operator/kube/builtin.ts';
import { Workflow } from '../../operator/controllers/resources.ts';
import { migrate, openStore } from '../../store/store.ts';
import type { Store } from '../../store/store.ts';
import { Client as Postgres } from 'pg';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { freePort } from '../cluster/free-port.ts';
import { until } from '../eventually.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { apiWrites, total } from './api-writes.ts';
import { median, percentile, type Benchmark, type Figure } from './benchmark.ts';
import { putAll, read } from './etcd.ts';
import { sumOf } from './prometheus-text.ts';
import { startRole } from './role.ts';
import { ORIGINAL, copyOf, intake, type Original } from './workflow-copies.ts';

const REVISIONS = 3;
const NAMESPACES = 20;
/** Changes per run, and how many per second: a team at work, not a migration. */
const CHANGES = 150;
const CHANGES_PER_SECOND = 5;
const HOME = 'millrace';
/** As in the chart's pod: its arguments, and half of its limit of 512 MiB for old objects, which is what node chooses there by itself. */
const POD_FLAGS = ['--max-semi-space-size=4', '--max-old-space-size=256'];
const crds = join(import.meta.dirname, '../../crds/generated');

interface World {
  plane: ControlPlane;
  cluster: Cluster;
  store: Store;
  databaseUrl: string;
  /** namespace/name of every workflow. */
  names: readonly (readonly [string, string])[];
}

interface Start {
  ms: number;
  /** Once it had settled, and at most until then. */
  rssMb: number;
  peakMb: number;
}

interface ColdStart extends Start {
  apiWrites: number;
  storeWrites: number;
  seen: number[];
  handled: number[];
}

/** A fresh operator among many Workflows that need nothing, and then changes of single ones, each a new revision. */
export const operator: Benchmark = {
  name: 'operator',
  about: `cold start among Workflows of 12 nodes with ${REVISIONS} revisions each that need nothing, then ${CHANGES_PER_SECOND} changes/s; real API server and PostgreSQL, fsync on`,
  flags: { objects: 10_000 },
  async run({ runs, flags: { objects = 0 }, progress }) {
    await using stack = new AsyncDisposableStack();
    const world = await startWorld(stack, objects, progress);
    const [baselines, starts]: [Start[], ColdStart[]] = [[], []];
    for (let run = 1; run <= runs; run += 1) {
      const baseline = await listAndWatch(world);
      const start = await coldStart(world, run);
      baselines.push(baseline);
      starts.push(start);
      progress(
        `run ${run}: settled after ${start.ms.toFixed(0)} ms with ${start.rssMb.toFixed(0)} MB (listing alone ${baseline.ms.toFixed(0)} ms, ${baseline.rssMb.toFixed(0)} MB), ` +
          `${start.apiWrites} + ${start.storeWrites} writes; change p50 ${percentile(start.handled, 0.5).toFixed(1)} ms, p99 ${percentile(start.handled, 0.99).toFixed(1)} ms`,
      );
    }
    return figures(baselines, starts);
  },
};

function figures(baselines: readonly Start[], starts: readonly ColdStart[]): Figure[] {
  const of = <T>(all: readonly T[], value: (one: T) => number): number => median(all.map(value));
  const beside = (value: (start: Start) => number) => ({ name: 'only list and watch', value: of(baselines, value) });
  const change = (share: number) => ({
    value: of(starts, ({ handled }) => percentile(handled, share)), unit: 'ms' as const,
    beside: { name: 'until a watch shows the change', value: of(starts, ({ seen }) => percentile(seen, share)) },
  });
  return [
    { name: 'cold start, all observed', value: of(starts, ({ ms }) => ms / 1000), unit: 's', target: { atMost: 15 }, beside: beside(({ ms }) => ms / 1000) },
    { name: 'writes to the API server', value: Math.max(...starts.map(({ apiWrites }) => apiWrites)), unit: 'count', target: { atMost: 0 } },
    { name: 'rows written in PostgreSQL', value: Math.max(...starts.map(({ storeWrites }) => storeWrites)), unit: 'count', target: { atMost: 0 } },
    { name: 'RSS when settled', value: of(starts, ({ rssMb }) => rssMb), unit: 'MB', target: { atMost: 350 }, beside: beside(({ rssMb }) => rssMb) },
    { name: 'RSS at most', value: of(starts, ({ peakMb }) => peakMb), unit: 'MB', beside: beside(({ peakMb }) => peakMb) },
    { name: 'change sent → seen and written, p50', ...change(0.5) },
    { name: 'change sent → seen and written, p99', ...change(0.99), target: { atMost: 100 } },
    { name: 'changes', value: starts.reduce((sum, { handled }) => sum + handled.length, 0), unit: 'count' },
  ];
}

async function startWorld(stack: AsyncDisposableStack, objects: number, progress: (text: string) => void): Promise<World> {
  progress('starting API server and PostgreSQL');
  const plane = await startControlPlane();
  stack.defer(() => plane.stop());
  const postgres = await startPostgres();
  stack.defer(() => postgres.stop());
  const databaseUrl = await postgres.database();
  await migrate({ url: databaseUrl, applicationName: 'bench' });
  const store = await openStore({ url: databaseUrl, applicationName: 'bench' });
  stack.defer(() => store.close());
  const cluster = await connect({ kubeconfig: plane.kubeconfig });
  stack.defer(() => cluster.close());
  await plane.kubectl('apply', '--server-side', '-f', crds);
  await plane.kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
  const namespaces = Array.from({ length: NAMESPACES }, (_, index) => `team-${index}`);
  for (const name of [HOME, ORIGINAL.namespace, ...namespaces]) await client(cluster, Namespace, { fieldManager: 'bench' }).create({ metadata: { name } });
  const names = Array.from({ length: objects - 1 }, (_, index) => [namespaces[index % NAMESPACES] ?? '', `workflow-${index}`] as const);
  const world = { plane, cluster, store, databaseUrl, names };
  const original = await publishOriginal(world);
  progress(`writing ${objects} Workflows of ${original.workflow.length} bytes as stored, with ${REVISIONS} revisions each`);
  await fill(world, original);
  return world;
}

/** Has the operator publish one workflow in all its versions; the others are made after it. */
async function publishOriginal(world: World): Promise<Original> {
  const { plane, cluster } = world;
  const operator_ = await startOperator(world, 'original');
  const specs: Workflow['spec'][] = [];
  const workflows = client(cluster, Workflow, { fieldManager: 'bench' });
  const key = `${ORIGINAL.namespace}/${ORIGINAL.name}` as const;
  for (let version = 0; version < REVISIONS; version += 1) {
    const { metadata: { generation }, spec } = await workflows.apply({ metadata: ORIGINAL, spec: intake(ORIGINAL.name, version) });
    specs.push(spec);
    await until(async () => {
      const live = await workflows.get(key);
      return live?.status?.observedGeneration === generation && live !== undefined && isTrue(live, 'Ready');
    });
  }
  const uid = (await workflows.get(key))?.metadata.uid ?? '';
  await operator_.stop();
  const { items } = await client(cluster, ControllerRevision, { fieldManager: 'bench' }).list({ namespace: ORIGINAL.namespace });
  if (items.length !== REVISIONS) throw new Error(`${items.length} revisions instead of ${REVISIONS}`);
  const copies = items.map(({ metadata, ...rest }) => JSON.stringify({ ...rest, metadata: { ...metadata, resourceVersion: undefined } }));
  return { uid, workflow: await read(plane.etcdUrl, `/registry/millrace.dev/workflows/${key}`), copies, specs };
}

/** Past API server and operator, because 40,000 requests would take longer than all that is measured. */
async function fill({ plane, store, names }: World, original: Original): Promise<void> {
  await plane.killApiServer();
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let index = next++; index < names.length; index = next++) {
      const [namespace, name] = names[index] ?? ['', ''];
      const { objects, definitions, route } = copyOf(original, { namespace, name });
      const earlier = definitions.slice(0, -1).map((definition) => store.revisions.put({ namespace, workflow: name, uid: route.uid, definition }));
      await Promise.all([putAll(plane.etcdUrl, objects), ...earlier]);
      const { conflicts } = await store.routes.apply(route, definitions.at(-1));
      if (conflicts.length > 0) throw new Error(`The path of ${name} is taken`);
    }
  }));
  await plane.startApiServer();
}

async function listAndWatch({ plane, names }: World): Promise<Start> {
  const startedAt = performance.now();
  let ms = Number.NaN;
  const role = await startRole('test/bench/operator-baseline.ts', { KUBECONFIG: plane.kubeconfig }, (log) => {
    if (!log.includes('\n')) return false;
    ms = performance.now() - startedAt;
    const { objects } = JSON.parse(log) as { objects: number };
    // Changes of earlier runs have made more revisions.
    if (objects < (names.length + 1) * (REVISIONS + 1)) throw new Error(`The baseline listed ${objects} objects`);
    return true;
  });
  const memory = await memoryOf(role.pid);
  await role.stop();
  return { ms, ...memory };
}

async function coldStart(world: World, run: number): Promise<ColdStart> {
  const [apiBefore, storeBefore] = [total(await apiWrites(world.cluster)), await storeWrites(world.databaseUrl)];
  const startedAt = performance.now();
  const role = await startOperator(world, `run-${run}`, world.names.length + 1);
  const ms = performance.now() - startedAt;
  const memory = await memoryOf(role.pid);
  const writes = { apiWrites: total(await apiWrites(world.cluster)) - apiBefore, storeWrites: (await storeWrites(world.databaseUrl)) - storeBefore };
  const latencies = await change(world, run);
  await role.stop();
  return { ms, ...memory, ...writes, ...latencies };
}

/** The operator as its own process, once it is ready and has looked at `workflows` Workflows. */
async function startOperator({ plane, databaseUrl }: World, name: string, workflows = 0) {
  const port = await freePort();
  const env = {
    KUBECONFIG: plane.kubeconfig, MILLRACE_DATABASE_URL: databaseUrl, POD_NAMESPACE: HOME, POD_NAME: name, MILLRACE_IMAGE: 'millrace:bench',
    MILLRACE_DATABASE_SECRET: 'database', MILLRACE_HEALTH_PORT: String(port), MILLRACE_LOG_LEVEL: 'error',
  };
  let askedAt = 0;
  const ask = (path: string): Promise<Response | undefined> => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  return await startRole([...POD_FLAGS, 'operator/main.ts'], env, async () => {
    // To make the metrics takes the operator some 8 ms: asked for all the time it would be slower by a tenth.
    if (performance.now() - askedAt < 200 || (await ask('/readyz'))?.ok !== true) return false;
    askedAt = performance.now();
    const metrics = await (await ask('/metrics'))?.text() ?? '';
    const ofWorkflows = ({ controller, result }: Readonly<Record<string, string>>): boolean => controller === 'workflow' && result === 'done';
    const depth = sumOf(metrics, 'millrace_operator_workqueue_depth', ({ name: queue }) => queue === 'workflow');
    return sumOf(metrics, 'millrace_operator_reconcile_total', ofWorkflows) >= workflows && depth === 0 && sumOf(metrics, 'millrace_operator_leader_election_master_status', () => true) === 1;
  });
}

/**
 * Changes one workflow of a team after the other at fixed times; each must be Ready with its new generation. Milliseconds since each was sent. Looks at
 * this team's alone: a list of everybody's would keep the API server busy collecting garbage, and that is not what a change costs.
 */
async function change({ cluster, names }: World, run: number): Promise<{ seen: number[]; handled: number[] }> {
  const watching = new AbortController();
  const [[namespace] = ['']] = names;
  const team = names.filter(([of]) => of === namespace);
  const informer = new Informer(Workflow, { namespace, transform: (workflow) => ({ ...workflow, spec: { nodes: [] } }) }, { cluster, clock: systemClock, log: silentLog });
  const running = informer.run(watching.signal);
  await informer.cache.whenSynced();
  const workflows = client(cluster, Workflow, { fieldManager: 'bench' });
  const result: { seen: number[]; handled: number[] } = { seen: [], handled: [] };
  const pending: Promise<void>[] = [];
  const start = performance.now();
  for (let index = 0; index < CHANGES; index += 1) {
    const early = start + (index * 1000) / CHANGES_PER_SECOND - performance.now();
    if (early > 0) await new Promise((resolve) => { setTimeout(resolve, early); });
    const [, name] = team[(run * CHANGES + index * 37) % team.length] ?? ['', ''];
    pending.push(one(`${namespace}/${name}`, intake(name, 1000 * run + index)));
  }
  await Promise.all(pending);
  watching.abort();
  await running;
  return result;

  async function one(key: `${string}/${string}`, spec: Workflow['spec']): Promise<void> {
    const generation = (informer.cache.get(key)?.metadata.generation ?? 0) + 1;
    const sentAt = performance.now();
    const done = new Promise<void>((resolve) => {
      const stop = informer.cache.subscribe(({ key: changed, before, after }) => {
        if (changed !== key || after?.metadata.generation !== generation) return;
        if (before?.metadata.generation !== generation) result.seen.push(performance.now() - sentAt);
        if (after.status?.observedGeneration !== generation || !isTrue(after, 'Ready')) return;
        result.handled.push(performance.now() - sentAt);
        stop();
        resolve();
      });
    });
    await workflows.patch(key, { merge: { spec: { nodes: spec.nodes } } });
    await done;
  }
}

/** Rows of ours inserted, updated and deleted so far, without what autoanalyze writes down. PostgreSQL counts what a connection did when it next is idle. */
async function storeWrites(url: string): Promise<number> {
  const postgres = new Postgres({ connectionString: url });
  await postgres.connect();
  const { rows: [row] } = await postgres.query<{ writes: string }>('SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS writes FROM pg_stat_user_tables');
  await postgres.end();
  return Number(row?.writes);
}

async function memoryOf(pid: number): Promise<{ rssMb: number; peakMb: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { rssMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}
