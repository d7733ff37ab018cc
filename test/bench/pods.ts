import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../operator/kube/index.ts';
import { migrate } from '../../store/store.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { freePort } from '../cluster/free-port.ts';
import { createNamespace, installMillrace } from '../cluster/install.ts';
import { KWOK_API_SERVER_ARGS, startKwok } from '../cluster/kwok.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { total } from './api-writes.ts';
import { percentile, type Benchmark, type Figure } from './benchmark.ts';
import { PODS, plainLoop, workflow, workflowRuns, type Load, type LoadOptions } from './pod-load.ts';
import { startRole } from './role.ts';

const HOME = 'millrace';
/** Published by Argo Workflows: workflows of one pod per minute, as it is installed and with more workers and higher rates. */
const ARGO = { default: 270, tuned: 810 };
const NODES = 20;
/** The loop's rate on simulated nodes does not depend on how many pods it makes. */
const LOOPED = 1000;
/** Of the simulated nodes: what a cluster may be told to bear. On real nodes the defaults of the chart are measured. */
const SETTINGS = { namespaces: [], serviceAccounts: [], maxActive: 500, perSecond: 100, keepSeconds: 5 };
const crds = join(import.meta.dirname, '../../crds/generated');

type Progress = (text: string) => void;

/** Runs that are one pod each, beside a loop that makes the same pods, on a real node and on simulated ones. */
export const pods: Benchmark = {
  name: 'pods',
  about: 'WorkflowRuns of one pod each, beside a plain loop that makes the same pods; on a real node, and on simulated ones beside what Argo Workflows publishes. 0 pods leave a part out',
  once: true,
  flags: { pods: 500, kwok: 5000 },
  async run({ flags: { pods: real = 0, kwok = 0 }, progress }) {
    return [...(real > 0 ? await onNode(real, progress) : []), ...(kwok > 0 ? await onSimulatedNodes(kwok, progress) : [])];
  },
};

async function onNode(count: number, progress: Progress): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const local = await LocalCluster.open('bench');
  stack.defer(() => local.down());
  progress('bringing up a cluster with Millrace in it');
  await local.up();
  await installMillrace(local, { values: { containers: { enabled: true, keepSeconds: 5 } } });
  for (const name of Object.values(PODS)) await createNamespace(local, name);
  const cluster = stack.adopt(await connect({ kubeconfig: local.kubeconfig }), (open) => open.close());
  // An image of this cluster that has a shell's small programs: a pod costs what a pod costs, and no more.
  const image = (await local.kubectl('get', 'pods', '--all-namespaces', '--output', 'jsonpath={.items[*].spec.containers[*].image}')).split(/\s+/).find((name) => name.includes('millrace-postgres'));
  if (image === undefined) throw new Error('The cluster runs no pod of PostgreSQL whose image could be used');
  const job = { image, command: ['/bin/true'] };
  await local.apply(workflow(job));
  await local.kubectl('wait', '--namespace', PODS.millrace, '--for=condition=Ready', 'workflows.millrace.dev', '--all', '--timeout=60s');
  const { loop, runs } = await compare({ cluster, count, ...job }, count, progress);
  return [
    { name: `${count} runs on a real node`, value: runs.ms / 1000, unit: 's', target: { atMost: (1.3 * loop.ms) / 1000 }, beside: { name: 'plain loop', value: loop.ms / 1000 } },
    { name: 'times the plain loop', value: runs.ms / loop.ms, unit: 'x', target: { atMost: 1.3 } },
    ...figures({ loop, looped: count, runs, count }),
  ];
}

async function onSimulatedNodes(count: number, progress: Progress): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  progress(`starting a control plane with ${NODES} simulated nodes, PostgreSQL, operator and runner`);
  const dir = stack.adopt(await mkdtemp(join(tmpdir(), 'millrace-bench-')), (path) => rm(path, { recursive: true, force: true }));
  const plane = stack.adopt(await startControlPlane({ apiServerArgs: KWOK_API_SERVER_ARGS }), (started) => started.stop());
  await plane.kubectl('apply', '--server-side', '-f', crds);
  await plane.kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all');
  for (const name of [HOME, ...Object.values(PODS)]) await plane.kubectl('create', 'namespace', name);
  stack.defer(await startKwok({ plane, dir, nodes: NODES, log: 'simulated\n' }));
  await startMillrace(stack, plane);
  const cluster = stack.adopt(await connect({ kubeconfig: plane.kubeconfig }), (open) => open.close());
  const job = { image: 'simulated', command: ['true'] };
  await plane.apply(workflow(job));
  await plane.kubectl('wait', '--namespace', PODS.millrace, '--for=condition=Ready', 'workflows.millrace.dev', '--all', '--timeout=60s');
  const looped = Math.min(count, LOOPED);
  const { loop, runs } = await compare({ cluster, count, ...job }, looped, progress);
  const perMinute = (count / runs.ms) * 60_000;
  return [
    { name: `${count} runs on simulated nodes`, value: perMinute, unit: '/min', target: { atLeast: ARGO.tuned }, beside: { name: 'Argo Workflows, published, tuned', value: ARGO.tuned } },
    { name: 'the same', value: perMinute, unit: '/min', target: { atLeast: ARGO.default }, beside: { name: 'Argo Workflows, published, as installed', value: ARGO.default } },
    { name: 'the same', value: perMinute, unit: '/min', beside: { name: 'plain loop', value: (looped / loop.ms) * 60_000 } },
    ...figures({ loop, looped, runs, count }),
  ];
}

async function startMillrace(stack: AsyncDisposableStack, plane: ControlPlane): Promise<void> {
  const postgres = stack.adopt(await startPostgres(), (started) => started.stop());
  const url = await postgres.database();
  await migrate({ url, applicationName: 'bench' });
  const isReady = (port: number) => async (): Promise<boolean> => fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false);
  const role = async (entry: string, env: Record<string, string>): Promise<void> => {
    const port = await freePort();
    stack.adopt(await startRole(entry, { MILLRACE_DATABASE_URL: url, MILLRACE_HEALTH_PORT: String(port), MILLRACE_LOG_LEVEL: 'warn', ...env }, isReady(port)), (started) => started.stop());
  };
  await role('operator/main.ts', {
    KUBECONFIG: plane.kubeconfig, POD_NAMESPACE: HOME, POD_NAME: 'operator-0', MILLRACE_IMAGE: 'millrace:bench', MILLRACE_DATABASE_SECRET: 'database', MILLRACE_CONTAINERS: JSON.stringify(SETTINGS),
  });
  await role('runner/main.ts', { POD_NAME: 'runner-0', MILLRACE_EXECUTORS: '1' });
}

/** The loop first, and then Millrace, each once the pods of the one before are gone. */
async function compare(load: LoadOptions, looped: number, progress: Progress): Promise<{ loop: Load; runs: Load }> {
  // Images, caches, plans and connections are warm for both.
  await plainLoop({ ...load, count: 5 });
  await workflowRuns({ ...load, count: 5 }, 'warm');
  const told = (who: string, made: number, { ms, writes }: Load): void => {
    const each = [...writes].map(([name, count]) => `${name} ${(count / made).toFixed(2)}`).sort();
    progress(`${who}: ${made} in ${(ms / 1000).toFixed(1)} s; writes for each: ${each.join(', ')}`);
  };
  const loop = await plainLoop({ ...load, count: looped });
  told('plain loop', looped, loop);
  const runs = await workflowRuns(load, 'run');
  told('Millrace', load.count, runs);
  return { loop, runs };
}

function figures({ loop, looped, runs, count }: { loop: Load; looped: number; runs: Load; count: number }): Figure[] {
  const latency = (share: number): Figure => ({
    name: `all requested at once → end, p${share * 100}`, value: percentile(runs.latencies, share) / 1000, unit: 's',
    ...(looped === count && { beside: { name: 'plain loop', value: percentile(loop.latencies, share) / 1000 } }),
  });
  return [latency(0.5), latency(0.99), { name: 'API writes for each run, everybody\'s', value: total(runs.writes) / count, unit: 'count', beside: { name: 'plain loop', value: total(loop.writes) / looped } }];
}
