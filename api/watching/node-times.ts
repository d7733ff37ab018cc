import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import type { ExecutionDetail } from '../../store/executions.ts';
import type { Store } from '../../store/store.ts';

/** What one node of a workflow took in recent executions of a pool. */
export interface NodeTime {
  pool: string;
  namespace: string;
  workflow: string;
  node: string;
  type: string;
  /** Whom it calls, where that is written out. */
  host?: string;
  /** Runs that were seen. */
  runs: number;
  meanMs: number;
  /** Part of the time that all nodes took in this pool, 0 to 1. */
  share: number;
}

/** Executions that are looked at. They are read one by one, so few; they are the newest, so representative enough. */
const SEEN = 30;
const RECENT_MS = 300_000;

/** Where recent executions spent their time, most first; of those whose node runs are kept. */
export async function nodeTimes({ executions, revisions }: Pick<Store, 'executions' | 'revisions'>, now: number): Promise<NodeTime[]> {
  const { executions: newest } = await executions.list({ limit: SEEN, since: now - RECENT_MS });
  const details = (await Promise.all(newest.map(({ id }) => executions.get(id)))).filter((detail) => detail !== undefined);
  const definitions = new Map<string, WorkflowDefinition | undefined>();
  await Promise.all([...new Set(details.map(({ revision }) => revision))].map(async (revision) => { definitions.set(revision, await revisions.get(revision)); }));
  return addUp(details, definitions);
}

/** Adds up the node runs of executions; `definitions` by revision. */
export function addUp(details: readonly ExecutionDetail[], definitions: ReadonlyMap<string, WorkflowDefinition | undefined>): NodeTime[] {
  const times = new Map<string, Omit<NodeTime, 'share' | 'meanMs'> & { ms: number }>();
  const totals = new Map<string, number>();
  for (const { pool, namespace, workflow, revision, nodes } of details) {
    for (const { node, durationMs } of nodes) {
      const key = JSON.stringify([pool, namespace, workflow, node]);
      const known = times.get(key) ?? { pool, namespace, workflow, node, ...nodeOf(definitions.get(revision), node), runs: 0, ms: 0 };
      times.set(key, { ...known, runs: known.runs + 1, ms: known.ms + durationMs });
      totals.set(pool, (totals.get(pool) ?? 0) + durationMs);
    }
  }
  return [...times.values()].map(({ ms, ...time }) => ({ ...time, meanMs: ms / time.runs, share: ms / Math.max(1, totals.get(time.pool) ?? 1) })).sort((a, b) => b.share - a.share);
}

function nodeOf(definition: WorkflowDefinition | undefined, name: string): { type: string; host?: string } {
  const found = definition?.nodes.find((node) => node.name === name);
  const url = found?.parameters?.['url'];
  // The start of a URL tells the host, also where an expression follows it.
  const host = typeof url === 'string' ? /^=?https?:\/\/([\w.-]+(?::\d+)?)(?:[/?#]|$)/.exec(url)?.[1] : undefined;
  return { type: found?.type ?? 'unknown', ...(host !== undefined && { host }) };
}
