import type { NodeRun } from './node-run.ts';

const NONE: readonly NodeRun[] = [];

/** The finished runs of one execution, in order and by node. */
export class History {
  readonly #runs: NodeRun[] = [];
  readonly #byNode = new Map<string, NodeRun[]>();

  get runs(): readonly NodeRun[] {
    return this.#runs;
  }

  add(run: NodeRun): void {
    this.#runs.push(run);
    const runs = this.#byNode.get(run.node);
    if (runs) runs.push(run);
    else this.#byNode.set(run.node, [run]);
  }

  /** Runs of a node by run index. */
  of(node: string): readonly NodeRun[] {
    return this.#byNode.get(node) ?? NONE;
  }
}
