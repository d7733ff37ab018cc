import type { NodeTypes } from '../../../runner/engine/graph.ts';
import { revisionOf } from '../../../store/revisions.ts';
import type { Workflow } from '../resources.ts';
import { definitionOf } from './definition.ts';
import { inspect } from './inspect.ts';
import type { Inspection } from './inspect.ts';

/** What follows from a Workflow alone. */
export interface Inspected extends Inspection {
  /** The revision that its spec is. */
  revision: string;
}

/**
 * What Workflows are, worked out once for each state of one. Most of the time of a cold start is spent on this and on waiting for the API server to
 * make lists, so it is done as the objects of a page come in, while the next page is made.
 */
export class Inspections {
  readonly #nodeTypes: NodeTypes;
  /** Where inspecting failed, how. */
  readonly #known = new WeakMap<Workflow, Inspected | { failure: unknown }>();

  constructor(nodeTypes: NodeTypes) {
    this.#nodeTypes = nodeTypes;
  }

  /** Gives the object back. Never throws: one that cannot be inspected must not keep others out of a cache. */
  readonly prepare = (workflow: Workflow): Workflow => {
    this.#inspect(workflow);
    return workflow;
  };

  /** Throws what inspecting it threw. */
  of(workflow: Workflow): Inspected {
    const inspected = this.#known.get(workflow) ?? this.#inspect(workflow);
    if ('failure' in inspected) throw inspected.failure;
    return inspected;
  }

  #inspect(workflow: Workflow): Inspected | { failure: unknown } {
    let inspected: Inspected | { failure: unknown };
    try {
      const definition = definitionOf(workflow);
      inspected = { ...inspect(workflow, definition, this.#nodeTypes), revision: revisionOf(definition) };
    } catch (failure) {
      inspected = { failure };
    }
    this.#known.set(workflow, inspected);
    return inspected;
  }
}
