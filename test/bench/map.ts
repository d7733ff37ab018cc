import { createHash, randomUUID } from 'node:crypto';
import { ExecutionMode, ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { DistributeSource } from '../../runner/engine/partitions.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { migrate, openStore, type Store } from '../../store/store.ts';
import { Keep } from '../../store/route.ts';
import { freePort } from '../cluster/free-port.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { peakOf, processTree } from './memory-of.ts';
import { startRole, type Role } from './role.ts';

const NAMESPACE = 'bench';
const ITEMS_IN_PART = 1000;
const MAX_PARALLEL = 8;
const RUNNERS = 2;
/** A run is compared with one of so many times fewer items. */
const GROWTH = 10;
const PATIENCE_MS = 280_000;
const SOURCES = ['range', 'file'] as const;

export interface MapLoad {
  items: number;
  source: (typeof SOURCES)[number];
  /** Default 1,000. */
  itemsInPart?: number;
  /** About how many bytes a row of the file has at least. */
  rowBytes?: number;
  /** For node, of the supervisors. Without limits it leaves much uncollected on a large machine. */
  nodeFlags?: readonly string[];
}

export interface MapResult {
  seconds: number;
  /** Peak of resident memory of each process, in bytes. */
  peaks: Record<string, number>;
}

/** Many items from a range or a file through a workflow on two runners, into one file. */
export const map: Benchmark = {
  name: 'map',
  about: `items from a range and from a CSV file, in parts of ${ITEMS_IN_PART}, through a workflow on ${RUNNERS} runners into one file: items/s, and memory beside that of ${GROWTH} times fewer`,
  flags: { items: 1_000_000 },
  once: true,
  async run({ flags: { items = 0 }, progress }) {
    await using stack = new AsyncDisposableStack();
    const postgres = stack.adopt(await startPostgres(), (server) => server.stop());
    const figures: Figure[] = [];
    for (const source of SOURCES) {
      const few = await runMap(postgres, { source, items: Math.ceil(items / GROWTH) });
      const many = await runMap(postgres, { source, items });
      progress(`${source}: ${Math.ceil(items / GROWTH)} items in ${few.seconds.toFixed(1)} s, ${items} in ${many.seconds.toFixed(1)} s`);
      figures.push(...figuresOf(source, { few, many, items }));
    }
    return figures;
  },
};

function figuresOf(source: string, { few, many, items }: { few: MapResult; many: MapResult; items: number }): Figure[] {
  const mib = (bytes = 0): number => bytes / 2 ** 20;
  return [
    { name: `${source}: items/s`, value: items / many.seconds, unit: '/s' },
    ...Object.entries(many.peaks).map(([name, peak]): Figure => ({
      name: `${source}: peak of ${name}`, value: mib(peak), unit: 'MB', beside: { name: `${GROWTH} times fewer items`, value: mib(few.peaks[name]) },
    })),
    { name: `${source}: peak of all, to that of ${GROWTH} times fewer items`, value: sum(many.peaks) / sum(few.peaks), unit: 'x', target: { atMost: 1.25 } },
  ];
}

function sum(peaks: MapResult['peaks']): number {
  return Object.values(peaks).reduce((total, peak) => total + peak, 0);
}

/** Runs it with fresh runners on a fresh database. Rejects unless the file has every item, in order. */
export async function runMap(postgres: Postgres, load: MapLoad): Promise<MapResult> {
  const { source, nodeFlags = [] } = load;
  await using stack = new AsyncDisposableStack();
  const url = await postgres.database();
  await migrate({ url, applicationName: 'bench' });
  const store = stack.adopt(await openStore({ url, applicationName: 'bench', poolSize: 4 }), (open) => open.close());
  await publish(store, double);
  await publish(store, mapping(load));
  const runners: Role[] = [];
  for (let n = 0; n < RUNNERS; n += 1) runners.push(stack.adopt(await startRunner(url, n, nodeFlags), (runner) => runner.stop()));
  const binary = source === 'file' ? { binary: { data: await storedRows(store, load) } } : {};
  const start = performance.now();
  const [accepted] = await store.queue.enqueue([
    { namespace: NAMESPACE, workflow: 'map', mode: ExecutionMode.Api, trigger: { node: 'Start', items: [{ json: {}, ...binary }] }, replyTo: store.replies.address },
  ]);
  if (!accepted?.accepted) throw new Error(`Not accepted: ${JSON.stringify(accepted)}`);
  const reply = await store.replies.wait(accepted.id, { signal: AbortSignal.timeout(PATIENCE_MS), until: 'finished' });
  const seconds = (performance.now() - start) / 1000;
  if (reply.status !== ExecutionStatus.Succeeded) throw new Error(`It ended as ${reply.status}: ${JSON.stringify(reply.error)}`);
  await check(store, accepted.id, load);
  const peaks = runners.flatMap(({ pid }, n) => processTree(pid).map((each, index): [string, number] => [`runner ${n + 1}, ${index === 0 ? 'supervisor' : `executor ${index}`}`, peakOf(each)]));
  return { seconds, peaks: Object.fromEntries(peaks) };
}

async function startRunner(url: string, n: number, nodeFlags: readonly string[]): Promise<Role> {
  const port = await freePort();
  const env = {
    MILLRACE_DATABASE_URL: url, MILLRACE_HEALTH_PORT: String(port), MILLRACE_EXECUTORS: '1', MILLRACE_EXECUTOR_MEMORY_MB: '352', POD_NAME: `runner-${n}`,
  };
  return startRole([...nodeFlags, 'runner/main.ts'], env, () => fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false));
}

const double: WorkflowDefinition = {
  id: `${NAMESPACE}/double`, name: 'double',
  nodes: [
    { name: 'Called', type: 'executeWorkflowTrigger', typeVersion: 1.1, parameters: { inputSource: 'passthrough' } },
    {
      name: 'Double', type: 'set', typeVersion: 3.4,
      parameters: { assignments: { assignments: [
        { id: 'a', name: 'index', type: 'number', value: '={{ Number($json.index) }}' }, { id: 'b', name: 'doubled', type: 'number', value: '={{ 2 * $json.index }}' },
        { id: 'c', name: 'name', type: 'string', value: '={{ $json.name ?? "" }}' },
      ] } },
    },
  ],
  connections: [{ from: 'Called', output: 0, to: 'Double', input: 0, type: 'main' }],
};

function mapping({ items, source, itemsInPart = ITEMS_IN_PART }: MapLoad): WorkflowDefinition {
  const from: DistributeSource = source === 'range' ? { range: { to: items } } : { file: 'data', format: 'csv' };
  return {
    id: `${NAMESPACE}/map`, name: 'map',
    nodes: [
      { name: 'Start', type: 'manualTrigger' },
      { name: 'Map', type: 'executeWorkflow', parameters: { workflowId: 'double' }, distribute: { from, count: itemsInPart, collect: 'file', maxParallel: MAX_PARALLEL } },
    ],
    connections: [{ from: 'Start', output: 0, to: 'Map', input: 0, type: 'main' }],
  };
}

async function publish(store: Store, definition: WorkflowDefinition): Promise<void> {
  const key = { namespace: NAMESPACE, workflow: definition.name, uid: definition.name };
  const { revision } = await store.revisions.put({ ...key, definition });
  // Of a million items nobody keeps each one in the history.
  const save = { success: definition === double ? Keep.Summary : Keep.All, failure: Keep.All };
  await store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save, triggers: [] });
}

async function storedRows(store: Store, load: MapLoad): Promise<{ id: string; size: number; sha256: string; mimeType: string }> {
  const id = randomUUID();
  return { id, mimeType: 'text/csv', ...await store.binaries.write({ executionId: randomUUID(), id }, rows(load)) };
}

/** What the row of an item says beside its index. */
function nameOf(index: number, { source, rowBytes = 0 }: MapLoad): string {
  return source === 'range' ? '' : `customer no. ${index}`.padEnd(rowBytes, '.');
}

async function* rows(load: MapLoad): AsyncGenerator<Uint8Array> {
  yield Buffer.from('index,name\n');
  for (let index = 0; index < load.items; index += 1) yield Buffer.from(`${index},"${nameOf(index, load)}"\n`);
}

async function check(store: Store, id: string, load: MapLoad): Promise<void> {
  const [run] = await store.executions.nodeRuns(id, { node: 'Map' });
  const [result] = run?.outputs[0] ?? [];
  const file = result?.binary?.['data'];
  const wanted = createHash('sha256');
  for (let index = 0; index < load.items; index += 1) wanted.update(`{"index":${index},"doubled":${2 * index},"name":"${nameOf(index, load)}"}\n`);
  if (result?.json['items'] !== load.items || file?.sha256 !== wanted.digest('hex')) throw new Error(`Not every item is in the file, in order: ${JSON.stringify(result)}`);
}
