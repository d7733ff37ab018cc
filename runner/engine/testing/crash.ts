import { execute } from '../engine.ts';
import type { ExecuteRequest } from '../engine.ts';
import type { NodeTypes } from '../graph.ts';
import type { EngineHost } from '../host.ts';
import type { Checkpoint, ExecutionResult } from '../node-run.ts';

/** Where a life ends: around the commit with this number, counted over all lives. */
export interface CrashPoint {
  commit: number;
  /** Whether the commit became durable before the crash. */
  when: 'before' | 'after';
}

class Crash extends Error {}

/**
 * Runs an execution through a crash: the life that reaches the point dies there, and another one, which knows nothing but the
 * durable checkpoints, takes over. Without a point nothing crashes. Tells how many commits there were.
 */
export async function executeThroughCrash(
  request: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes, point?: CrashPoint,
): Promise<{ result: ExecutionResult; commits: number; lives: number }> {
  const durable: Checkpoint[] = [...(request.resume ?? [])];
  let commits = 0;
  const dying: EngineHost = {
    ...host,
    now: () => host.now(),
    async commit(checkpoint) {
      const isPoint = point !== undefined && commits === point.commit;
      commits += 1;
      if (isPoint && point.when === 'before') throw new Crash();
      await host.commit(checkpoint);
      durable.push(structuredClone(checkpoint));
      if (isPoint) throw new Crash();
    },
  };
  for (let lives = 1; ; lives += 1) {
    try {
      const result = await execute({ ...request, resume: structuredClone(durable) }, dying, nodeTypes);
      return { result, commits, lives };
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

/** Every point at which an execution with so many commits can die. */
export function crashPoints(commits: number): CrashPoint[] {
  return Array.from({ length: commits }, (_, commit) => [{ commit, when: 'before' as const }, { commit, when: 'after' as const }]).flat();
}
