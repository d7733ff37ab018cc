import type { PartitionResult } from '../engine/partitions.ts';
import type { Claim, EndedExecution, WaitWrite } from '../../store/lease.ts';
import type { Partitions } from '../../store/partitions.ts';

/** What a runner that died has left undone waits this long. */
const POLL_MS = 2000;

/** What a runner does for items that are distributed over executions: tells results, starts parts, and looks after what others have left. */
export class DistributedParts {
  readonly #partitions: Partitions;
  readonly #onError: (error: unknown) => void;
  #poll: NodeJS.Timeout | undefined;

  constructor(partitions: Partitions, onError: (error: unknown) => void) {
    this.#partitions = partitions;
    this.#onError = onError;
  }

  start(): void {
    this.#poll = setInterval(() => void this.#partitions.settle().catch(this.#onError), POLL_MS);
  }

  stop(): void {
    clearInterval(this.#poll);
  }

  /** After an execution was parked: the parts that it waits for may be over by now. */
  async parked({ on }: WaitWrite['wait']): Promise<void> {
    if (on === 'partitions') await this.#partitions.settle();
  }

  /** Stores how an execution ended; of a part the result before, so that it cannot be lost, and the next parts start after. */
  async end({ trigger: { partition } }: Claim, result: EndedExecution, store: () => Promise<unknown>): Promise<void> {
    if (partition) await this.#partitions.finish(partition.id, partitionOf(result));
    await store();
    if (partition) await this.#partitions.advance(partition.id);
  }
}

/** An execution that works on a part of another one's items has no more time than that one. Milliseconds; undefined: any. */
export function timeoutOf({ remainingMs = Infinity, trigger: { partition } }: Claim, now: number): number | undefined {
  const timeoutMs = Math.min(remainingMs, partition?.deadline === undefined ? Infinity : partition.deadline - now);
  return timeoutMs === Infinity ? undefined : timeoutMs;
}

function partitionOf({ partition, error, status }: EndedExecution): PartitionResult {
  return partition ?? { error: error ?? { code: 'SubWorkflowFailed', message: `The execution ended as ${status}.` } };
}
