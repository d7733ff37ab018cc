import { execute } from '../engine.ts';
import type { ExecuteRequest } from '../engine.ts';
import type { NodeTypes } from '../graph.ts';
import type { EngineHost } from '../host.ts';
import type { Checkpoint, ExecutionResult } from '../node-run.ts';

/** Where a life ends: around the commit with this number. */
export interface CrashPoint {
  commit: number;
  /** Whether the commit became durable before the crash. */
  when: 'before' | 'after';
}

/** What a run through a crash tells, over all requests it was used for. */
export interface CrashLog {
  commits: number;
  lives: number;
  /** The checkpoint that was lost with the life that was about to commit it. */
  lost?: Checkpoint;
}

class Crash extends Error {}

/**
 * Runs an execution through a crash: the life that reaches the point dies there, and another one, which knows nothing but the
 * durable checkpoints, takes over. Without a point nothing crashes. `log` counts on from where it stands.
 */
export async function executeThroughCrash(
  request: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes, { point, log }: { point?: CrashPoint | undefined; log: CrashLog },
): Promise<ExecutionResult> {
  const durable: Checkpoint[] = [...(request.resume ?? [])];
  const dying: EngineHost = {
    ...host,
    now: () => host.now(),
    async commit(checkpoint) {
      const isPoint = point !== undefined && log.commits === point.commit;
      log.commits += 1;
      if (isPoint && point.when === 'before') {
        log.lost = checkpoint;
        throw new Crash();
      }
      await host.commit(checkpoint);
      durable.push(structuredClone(checkpoint));
      if (isPoint) throw new Crash();
    },
  };
  for (;;) {
    log.lives += 1;
    try {
      return await execute({ ...request, resume: structuredClone(durable) }, dying, nodeTypes);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

/** Every point at which an execution with so many commits can die. */
export function crashPoints(commits: number): CrashPoint[] {
  return Array.from({ length: commits }, (_, commit) => [{ commit, when: 'before' as const }, { commit, when: 'after' as const }]).flat();
}
