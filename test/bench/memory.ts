import { ExecutionMode, ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { startPostgres } from '../postgres/postgres.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { peakOf, processTree } from './memory-of.ts';
import { NAMESPACE, startSystem, type MillraceSystem } from './system.ts';
import { imported, items, loop } from './workflows.ts';

const RUNNER_MIB = 512;
export const RUNNER_BYTES = RUNNER_MIB * 2 ** 20;
/** What the operator gives the one executor of a runner of that size; the rest is its supervisor's. */
const EXECUTOR_MIB = RUNNER_MIB - 160;
export const memoryEnvironment = { MILLRACE_EXECUTOR_MEMORY_MB: String(EXECUTOR_MIB) };
const PATIENCE_MS = 240_000;

/** An execution that is large, in a runner pod's processes with the limits of a 512 MiB pod. */
export interface Load {
  name: string;
  workflow: WorkflowDefinition;
  nodeRuns: number;
}

/** A loop pass is four node runs: the loop's own and three of its body. */
export const LOADS: readonly Load[] = [
  { name: '100,000 items', workflow: imported(items(100_000)), nodeRuns: 5 },
  { name: 'loop of 100,000 node runs', workflow: imported(loop(25_000)), nodeRuns: 100_003 },
];

export interface LoadResult {
  seconds: number;
  /** Bytes; the peak of resident memory of each process by the kernel's count, so their sum is at least the peak of both. */
  supervisor: number;
  executor: number;
}

export const memory: Benchmark = {
  name: 'memory',
  about: `large executions in a runner of ${RUNNER_MIB} MiB: peak memory of supervisor and executor`,
  once: true,
  async run({ progress }) {
    await using stack = new AsyncDisposableStack();
    const postgres = stack.adopt(await startPostgres(), (server) => server.stop());
    const system = stack.use(await startSystem({ postgres, executors: 1, runnerEnv: memoryEnvironment }));
    const figures: Figure[] = [];
    for (const load of LOADS) {
      const { seconds, supervisor, executor } = await runLoad(system, load);
      progress(`${load.name}: ${seconds.toFixed(1)} s`);
      const mib = (bytes: number): number => bytes / 2 ** 20;
      figures.push(
        { name: load.name, value: seconds, unit: 's' },
        { name: `${load.name}, peak of the runner`, value: mib(supervisor + executor), unit: 'MB', target: { atMost: RUNNER_MIB } },
        { name: `${load.name}, peak of the executor`, value: mib(executor), unit: 'MB', target: { atMost: EXECUTOR_MIB } },
        { name: `${load.name}, peak of the supervisor`, value: mib(supervisor), unit: 'MB' },
      );
    }
    return figures;
  },
};

/** Runs it in a fresh runner. Rejects unless it succeeds with all its node runs, in one life. */
export async function runLoad(system: MillraceSystem, { workflow, nodeRuns }: Load): Promise<LoadResult> {
  await system.stopRunner();
  await system.publish(workflow);
  const { pid } = await system.startRunner();
  const name = workflow.id.replace(`${NAMESPACE}/`, '');
  const { queue, replies, executions } = system.store;
  const start = performance.now();
  const [accepted] = await queue.enqueue([
    { namespace: NAMESPACE, workflow: name, mode: ExecutionMode.Schedule, trigger: { node: 'Webhook', items: [{ json: {} }] }, replyTo: replies.address },
  ]);
  if (!accepted?.accepted) throw new Error(`Not accepted: ${JSON.stringify(accepted)}`);
  const reply = await replies.wait(accepted.id, { signal: AbortSignal.timeout(PATIENCE_MS), until: 'finished' });
  const seconds = (performance.now() - start) / 1000;
  const execution = await executions.get(accepted.id);
  if (reply.status !== ExecutionStatus.Succeeded || execution?.counts?.succeeded !== nodeRuns || execution.attempts !== 1) {
    throw new Error(`${name} ended as ${reply.status} with ${JSON.stringify(execution?.counts)} in ${execution?.attempts} lives: ${JSON.stringify(reply.error)}`);
  }
  const [supervisor = 0, ...executors] = processTree(pid).map(peakOf);
  return { seconds, supervisor, executor: Math.max(...executors) };
}
