import { estimateBytes } from './item-size.ts';
import type { Item } from './item.ts';
import type { NodeRun } from './node-run.ts';
import type { Retention } from './retention.ts';

const NONE: readonly NodeRun[] = [];
const NO_DATA = Object.freeze({});

interface Kept {
  /** Place in the order of all runs. */
  index: number;
  bytes: number;
}

/**
 * The finished runs of one execution, in order and by node. Holds the items of recent runs up to a budget; beyond it, the
 * oldest runs that nothing refers to keep only their record and, where expressions follow items back, who came from whom.
 */
export class History {
  readonly #runs: NodeRun[] = [];
  /** What expressions see; differs from the record only for runs whose items were dropped. */
  readonly #byNode = new Map<string, NodeRun[]>();
  readonly #retention: Retention;
  readonly #maxBytes: number;
  #bytes = 0;
  /** The run that keeps its items whatever else runs: callers and webhooks read those of the last. */
  #last: NodeRun | undefined;
  #kept: Kept[] = [];
  #head = 0;

  constructor(retention: Retention, maxBytes: number) {
    this.#retention = retention;
    this.#maxBytes = maxBytes;
  }

  get runs(): readonly NodeRun[] {
    return this.#runs;
  }

  /** Runs of a node by run index. */
  of(node: string): readonly NodeRun[] {
    return this.#byNode.get(node) ?? NONE;
  }

  /** `isLast`: no finished run comes after it in the order of the workflow. */
  add(run: NodeRun, isLast = true): void {
    if (isLast) this.#last = run;
    const bytes = run.outputs.reduce((sum, items) => sum + (items ? estimateBytes(items) : 0), 0);
    this.#bytes += bytes;
    if (!this.#retention.isReferenced(run.node)) this.#kept.push({ index: this.#runs.length, bytes });
    this.#runs.push(run);
    const runs = this.#byNode.get(run.node);
    if (runs) runs.push(run);
    else this.#byNode.set(run.node, [run]);
    if (this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  /** Puts the runs from number `from` on into the given order. Nothing may be added afterwards. */
  arrange(from: number, order: readonly number[]): void {
    const ordered = order.flatMap((number) => this.#runs[number] ?? []);
    for (const [index, run] of ordered.entries()) this.#runs[from + index] = run;
  }

  #dropOldest(): void {
    while (this.#bytes > this.#maxBytes) {
      const kept = this.#kept[this.#head];
      if (!kept) break;
      const isLast = this.#runs[kept.index] === this.#last;
      if (isLast && this.#head === this.#kept.length - 1) break;
      this.#head += 1;
      if (isLast) {
        this.#kept.push(kept);
        continue;
      }
      this.#bytes -= kept.bytes;
      this.#drop(kept.index);
    }
    if (this.#head > 1000) {
      this.#kept = this.#kept.slice(this.#head);
      this.#head = 0;
    }
  }

  #drop(index: number): void {
    const run = this.#runs[index];
    if (!run) return;
    const record: NodeRun = { ...run, outputs: [], droppedItems: run.outputs.map((items) => items?.length ?? 0) };
    this.#runs[index] = record;
    const seen = this.#retention.followsItems ? { ...record, outputs: run.outputs.map((items) => items && items.map(lineageOf)) } : record;
    this.#byNode.get(run.node)?.splice(run.runIndex, 1, seen);
  }
}

function lineageOf({ pairedItem }: Item): Item {
  return pairedItem === undefined ? { json: NO_DATA } : { json: NO_DATA, pairedItem };
}
